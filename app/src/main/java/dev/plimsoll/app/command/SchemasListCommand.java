package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.wire.WireSchema;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** What schemas there are. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = "List the schemas with their ids and the subjects that registries file them under.")
public final class SchemasListCommand implements Callable<Integer> {
    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Override
    public Integer call() {
        if (output == OutputForm.TEXT) {
            System.out.printf("%-64s %7s  %6s  %s%n", "SUBJECT", "VERSION", "ID", "RECORD");
        }
        for (Catalogue.Subject subject : new Catalogue().subjects()) {
            subject.versions()
                    .forEach(schema -> System.out.println(output == OutputForm.JSON ? json(schema) : line(schema)));
        }
        return ExitCode.OK;
    }

    private static String line(WireSchema schema) {
        return String.format(
                Locale.ROOT, "%-64s %7d  %6d  %s", schema.subject(), schema.version(), schema.id(), schema.record());
    }

    private static String json(WireSchema schema) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("subject", schema.subject())
                .put("version", schema.version())
                .put("id", schema.id())
                .put("record", schema.record())
                .toString();
    }
}
