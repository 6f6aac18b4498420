package dev.plimsoll.app.command;

import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireSchema;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Parameters;

/** One schema, as it is in the jar. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Print a schema as it is in the jar, in Avro's JSON.")
public final class SchemasShowCommand implements Callable<Integer>, Validated {
    @Parameters(
            paramLabel = "SCHEMA",
            description = "An id, such as 170001, or the newest of a record, such as LoadWindow.")
    @Nullable
    private String wanted;

    private Optional<WireSchema> found = Optional.empty();

    @Override
    public void check(Problems problems) {
        if (wanted == null) {
            problems.add("name a schema: an id or a record of 'plimsoll schemas list'");
            return;
        }
        String name = wanted.toLowerCase(Locale.ROOT);
        List<WireSchema> all =
                Topic.all().stream().flatMap(topic -> topic.schemas().stream()).toList();
        // The last one is the newest.
        found = all.stream()
                .filter(schema -> Integer.toString(schema.id()).equals(name)
                        || schema.record().toLowerCase(Locale.ROOT).equals(name))
                .reduce((earlier, later) -> later);
        problems.require(
                found.isPresent(),
                "no schema '" + wanted + "'; ids go from "
                        + new Catalogue().schemas().get(0).id() + " to " + new Catalogue().newest() + ", records are "
                        + String.join(
                                ", ",
                                all.stream().map(WireSchema::record).distinct().toList()));
    }

    @Override
    public Integer call() {
        System.out.println(found.orElseThrow().json().strip());
        return ExitCode.OK;
    }
}
