package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.quarantine.Advice;
import dev.plimsoll.app.quarantine.Entry;
import dev.plimsoll.app.quarantine.HexDump;
import dev.plimsoll.app.quarantine.Place;
import dev.plimsoll.app.quarantine.Source;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Dissection;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireSchema;
import dev.plimsoll.wire.kafka.StoredRecords;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** All that is known of one quarantined record. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Show a quarantined record: why, what can be read of it, its bytes, and what to do next.")
public final class QuarantineShowCommand implements Callable<Integer>, Validated {
    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Parameters(
            paramLabel = "PLACE",
            arity = "1",
            description =
                    "Where the record stood, as 'quarantine list' says, such as plimsoll.samples.v1-3@210 or 3@210.")
    private String where = "";

    @Option(
            names = "--max-bytes",
            paramLabel = "N",
            defaultValue = "512",
            description = "Show this many bytes (default: ${DEFAULT-VALUE}).")
    private int most = 512;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        problems.require(most >= 0, "--max-bytes must not be below 0");
        checkPlace(where, problems);
    }

    static void checkPlace(String where, Problems problems) {
        try {
            Place.parse(where);
        } catch (IllegalArgumentException e) {
            problems.add("PLACE: ", e);
        }
    }

    @Override
    public Integer call() {
        Place place = Place.parse(where);
        try (StoredRecords stored = new StoredRecords(kafka.settings(), QuarantineOptions.TIMEOUT)) {
            List<Entry> found = new QuarantineOptions()
                    .read(stored, 16, record -> Place.of(record).equals(place))
                    .entries();
            if (found.isEmpty()) {
                System.err.println(
                        "plimsoll: " + place
                                + " is not in quarantine; 'plimsoll quarantine list' says what is, and for which offsets records were left out");
                return 1;
            }
            Entry entry = found.get(found.size() - 1);
            Source source = Source.of(
                    entry.record(),
                    stored.at(place.topic(), place.partition(), place.offset()).map(StoredRecords.Stored::bytes));
            if (output == OutputForm.JSON) {
                System.out.println(json(entry, source));
            } else {
                text(entry, source, most).forEach(System.out::println);
            }
            return 0;
        }
    }

    static List<String> text(Entry entry, Source source, int mostBytes) {
        Quarantined record = entry.record();
        List<String> lines = new ArrayList<>();
        lines.add(record.place());
        lines.add("  quarantined   " + Instant.ofEpochMilli(entry.atMillis()) + ", " + record.reason() + ": "
                + record.detail());
        lines.add("  record        " + record.originalBytes() + " bytes"
                + (record.timestampMillis() == 0 ? "" : ", appended " + Instant.ofEpochMilli(record.timestampMillis()))
                + (record.key().isEmpty() ? ", without a key" : ", key '" + record.key() + "'"));
        lines.add("  bytes         " + source.words());
        entry.replayedMillis().ifPresent(millis -> lines.add("  replayed      " + Instant.ofEpochMilli(millis)));
        Advice.of(record.reason()).ifPresent(advice -> {
            lines.add("  which means   " + advice.meaning());
            lines.add("  what to do    " + advice.todo());
        });
        dissection(record, source).ifPresent(dissection -> lines.addAll(text(dissection)));
        lines.addAll(HexDump.lines(source.bytes(), mostBytes).stream()
                .map(line -> "  " + line)
                .toList());
        if (source.bytes().length > mostBytes) {
            lines.add("  … " + (source.bytes().length - mostBytes) + " more; --max-bytes " + source.bytes().length
                    + " shows them");
        }
        return lines;
    }

    private static Optional<Dissection> dissection(Quarantined record, Source source) {
        return Topic.all().stream()
                .filter(topic -> topic.name().equals(record.topic()))
                .findFirst()
                .filter(topic -> record.kind() != Quarantined.Kind.LEFT_OUT)
                .map(topic -> Dissection.of(topic, source.bytes()));
    }

    private static List<String> text(Dissection dissection) {
        List<String> lines = new ArrayList<>();
        dissection
                .schema()
                .ifPresent(schema -> lines.add("  read as       " + name(schema) + " version " + schema.version()
                        + ", schema id " + schema.id()));
        dissection
                .fields()
                .forEach(field -> lines.add("    " + String.format("%-28s", field.name()) + " " + field.text()));
        lines.add(dissection
                .stop()
                .map(stop -> "  stops at      " + stop.where() + ", byte " + stop.offset() + ": " + stop.why())
                .orElse("  stops at      nothing: its fields can all be read"));
        return lines;
    }

    private static String name(WireSchema schema) {
        return schema.json().replaceFirst("(?s).*?\"name\": *\"(\\w+)\".*", "$1");
    }

    private static String json(Entry entry, Source source) {
        Quarantined record = entry.record();
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("place", record.place())
                .put("quarantinedAt", Instant.ofEpochMilli(entry.atMillis()).toString())
                .put("reason", record.reason())
                .put("detail", record.detail())
                .put("key", record.key())
                .put("originalBytes", record.originalBytes())
                .put("inTopic", source.stands())
                .put("whole", source.whole())
                .put("source", source.words());
        if (record.timestampMillis() != 0) {
            root.put(
                    "appendedAt", Instant.ofEpochMilli(record.timestampMillis()).toString());
        }
        entry.replayedMillis()
                .ifPresent(millis ->
                        root.put("replayedAt", Instant.ofEpochMilli(millis).toString()));
        Advice.of(record.reason())
                .ifPresent(advice -> root.put("meaning", advice.meaning()).put("next", advice.todo()));
        dissection(record, source).ifPresent(dissection -> {
            ObjectNode read = root.putObject("read");
            dissection.schemaId().ifPresent(id -> read.put("schemaId", id));
            dissection.schema().ifPresent(schema -> read.put("schema", name(schema)));
            ArrayNode fields = read.putArray("fields");
            dissection
                    .fields()
                    .forEach(field ->
                            fields.addObject().put("name", field.name()).put("value", field.text()));
            dissection
                    .stop()
                    .ifPresent(stop -> read.putObject("stopsAt")
                            .put("where", stop.where())
                            .put("byte", stop.offset())
                            .put("why", stop.why()));
        });
        root.put("bytes", HexFormat.of().formatHex(source.bytes()));
        return root.toString();
    }
}
