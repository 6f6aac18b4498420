package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.quarantine.Contents;
import dev.plimsoll.app.quarantine.Entry;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.StoredRecords;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What stands in quarantine. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = "List quarantined records, the newest last, and count them by reason.")
public final class QuarantineListCommand implements Callable<Integer>, Validated {
    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private QuarantineOptions options = new QuarantineOptions();

    @Option(
            names = "--max-records",
            paramLabel = "N",
            defaultValue = "50",
            description = "List this many, the newest; all are counted (default: ${DEFAULT-VALUE}).")
    private int most = 50;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        options.check(problems);
        problems.require(most > 0 && most <= 1_000_000, "--max-records must be 1 to 1000000, not " + most);
    }

    @Override
    public Integer call() {
        try (StoredRecords stored = new StoredRecords(kafka.settings(), QuarantineOptions.TIMEOUT)) {
            Contents contents = options.read(stored, most, record -> true);
            if (output == OutputForm.JSON) {
                contents.entries().forEach(entry -> System.out.println(json(entry)));
                System.out.println(counts(contents));
            } else {
                text(contents).forEach(System.out::println);
            }
            return 0;
        }
    }

    static List<String> text(Contents contents) {
        if (contents.counts().isEmpty()) {
            return List.of("nothing is in quarantine");
        }
        List<String> lines = new ArrayList<>();
        contents.entries().forEach(entry -> lines.add(line(entry)));
        long listed =
                contents.entries().stream().filter(entry -> !entry.leftOut()).count();
        long records = contents.total().records();
        if (listed < records) {
            lines.add("the newest " + listed + " of " + records + " records; --max-records " + records + " lists all");
        }
        lines.add("");
        lines.add(row("REASON", "RECORDS", "LEFT OUT", "REPLAYED"));
        contents.counts()
                .forEach((reason, count) -> lines.add(row(
                        reason,
                        Long.toString(count.records()),
                        Long.toString(count.leftOut()),
                        Long.toString(count.replayed()))));
        return lines;
    }

    private static String row(String reason, String records, String leftOut, String replayed) {
        return String.format(Locale.ROOT, "%-16s %10s %10s %10s", reason, records, leftOut, replayed);
    }

    static String line(Entry entry) {
        Quarantined record = entry.record();
        String what = entry.leftOut()
                ? "to " + record.lastOffset() + ": " + record.records() + " records left out, " + record.detail()
                : record.originalBytes() + " bytes" + (record.key().isEmpty() ? "" : " of '" + record.key() + "'")
                        + ": " + record.detail();
        return Instant.ofEpochMilli(entry.atMillis()) + " " + String.format("%-14s", record.reason()) + " "
                + record.place() + " " + what + (entry.replayedMillis().isPresent() ? " (replayed)" : "");
    }

    private static String json(Entry entry) {
        return "{\"place\":\"" + entry.place() + "\",\"quarantinedAt\":\"" + Instant.ofEpochMilli(entry.atMillis())
                + "\",\"replayedAt\":"
                + (entry.replayedMillis().isPresent()
                        ? "\"" + Instant.ofEpochMilli(entry.replayedMillis().getAsLong()) + "\""
                        : "null")
                + ",\"value\":" + Topic.QUARANTINE.json(entry.record()) + "}";
    }

    private static String counts(Contents contents) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ObjectNode counts = root.putObject("counts");
        contents.counts()
                .forEach((reason, count) -> counts.putObject(reason)
                        .put("records", count.records())
                        .put("leftOut", count.leftOut())
                        .put("replayed", count.replayed()));
        return root.toString();
    }
}
