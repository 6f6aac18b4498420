package dev.plimsoll.app.docs;

import dev.plimsoll.app.Plimsoll;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** What every command says of itself when it is asked for help. */
final class CommandPage {
    private static final int COLUMNS = 100;

    private CommandPage() {}

    static String text() {
        StringBuilder page = new StringBuilder();
        append(Plimsoll.commandLine(), page);
        return page.toString();
    }

    private static void append(CommandLine command, StringBuilder page) {
        if (command.getCommandSpec().helpCommand()) {
            return;
        }
        command.getCommandSpec().usageMessage().autoWidth(false);
        command.getCommandSpec().usageMessage().width(COLUMNS);
        String usage = command.getUsageMessage(Ansi.OFF);
        page.append("## ").append(command.getCommandSpec().qualifiedName()).append("\n\n```\n");
        usage.strip()
                .lines()
                .map(String::stripTrailing)
                .forEach(line -> page.append(line).append('\n'));
        page.append("```\n\n");
        command.getSubcommands().values().forEach(sub -> append(sub, page));
    }
}
