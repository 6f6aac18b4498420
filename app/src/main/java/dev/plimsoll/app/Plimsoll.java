package dev.plimsoll.app;

import dev.plimsoll.app.command.AggregatorCommand;
import dev.plimsoll.app.command.BenchCommand;
import dev.plimsoll.app.command.BrokerCommand;
import dev.plimsoll.app.command.CollectorCommand;
import dev.plimsoll.app.command.DevicesCommand;
import dev.plimsoll.app.command.Durations;
import dev.plimsoll.app.command.MembershipCommand;
import dev.plimsoll.app.command.PlannerCommand;
import dev.plimsoll.app.command.Problems;
import dev.plimsoll.app.command.RanksCommand;
import dev.plimsoll.app.command.TopicsCommand;
import dev.plimsoll.app.command.UpCommand;
import dev.plimsoll.app.command.Validated;
import dev.plimsoll.app.command.WorkerCommand;
import dev.plimsoll.app.metrics.Meters;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.time.Duration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ParseResult;

/** The command {@code plimsoll}. */
@Command(
        name = "plimsoll",
        mixinStandardHelpOptions = true,
        version = "plimsoll " + Meters.VERSION,
        description = "Keeps mixture-of-experts clusters evenly loaded.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            UpCommand.class,
            TopicsCommand.class,
            BrokerCommand.class,
            RanksCommand.class,
            CollectorCommand.class,
            AggregatorCommand.class,
            PlannerCommand.class,
            WorkerCommand.class,
            MembershipCommand.class,
            DevicesCommand.class,
            BenchCommand.class,
            CommandLine.HelpCommand.class
        },
        footer = {
            "",
            "Try 'plimsoll up' for the whole loop on simulated ranks; 'plimsoll help COMMAND' explains a command.",
            "Exit codes: 0 done, 1 failed, 2 wrong options, 6 Kafka cannot be reached."
        })
public final class Plimsoll {
    /** Exit code when a dependency cannot be reached. */
    public static final int UNREACHABLE = 6;

    private Plimsoll() {}

    public static void main(String[] arguments) {
        System.exit(Signals.exitCode(run(arguments)));
    }

    /** Runs a command; returns its exit code. */
    public static int run(String... arguments) {
        return commandLine().execute(arguments);
    }

    /** The command line with all its commands. */
    public static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Plimsoll())
                .registerConverter(Duration.class, new Durations())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(Plimsoll::checkThenRun)
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    if (failure instanceof Lifecycle.Stopped) {
                        return ExitCode.OK;
                    }
                    command.getErr().println("plimsoll: " + message(failure));
                    return ExitCode.SOFTWARE;
                });
        collectErrors(line);
        return line;
    }

    private static void collectErrors(CommandLine line) {
        line.getCommandSpec().parser().collectErrors(true);
        line.getSubcommands().values().forEach(Plimsoll::collectErrors);
    }

    /** Reports all that is wrong with the options at once, before anything starts. */
    private static int checkThenRun(ParseResult parsed) {
        Integer help = CommandLine.executeHelpRequest(parsed);
        if (help != null) {
            return help;
        }
        Problems problems = new Problems();
        ParseResult command = parsed;
        command.errors().forEach(error -> problems.add("", error));
        while (command.hasSubcommand()) {
            command = command.subcommand();
            command.errors().forEach(error -> problems.add("", error));
        }
        CommandLine line = command.commandSpec().commandLine();
        if (!line.getSubcommands().isEmpty() && !(command.commandSpec().userObject() instanceof Validated)) {
            problems.add(
                    "name a command: " + String.join(", ", line.getSubcommands().keySet()));
        }
        if (command.commandSpec().userObject() instanceof Validated validated) {
            validated.check(problems);
        }
        if (problems.any()) {
            PrintWriter err = line.getErr();
            problems.found().forEach(problem -> err.println("plimsoll: " + problem));
            err.println("Try '" + line.getCommandSpec().qualifiedName() + " --help'.");
            err.flush();
            return ExitCode.USAGE;
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static String message(Throwable failure) {
        if (failure instanceof FileSystemException file) {
            String reason = file.getReason() == null ? file.getClass().getSimpleName() : file.getReason();
            return "cannot use " + file.getFile() + ": " + reason;
        }
        String message = failure.getMessage();
        return message == null ? failure.toString() : message;
    }
}
