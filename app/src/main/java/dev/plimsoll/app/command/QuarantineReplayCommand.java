package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.quarantine.Entry;
import dev.plimsoll.app.quarantine.Place;
import dev.plimsoll.app.quarantine.Replay;
import dev.plimsoll.app.quarantine.Source;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.StoredRecords;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes quarantined records to their topic again. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description = {
            "Write quarantined records that can be read now to their topic again, each to the partition of its deployment.",
            "Says what it would do, unless --yes is given. A sample whose window is closed is counted as late, one that its window"
                    + " has as duplicate."
        })
public final class QuarantineReplayCommand implements Callable<Integer>, Validated {
    private static final int MOST = 100_000;
    private static final int TOGETHER = 50;
    private static final Duration WRITING = Duration.ofSeconds(30);

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private QuarantineOptions options = new QuarantineOptions();

    @Parameters(
            paramLabel = "PLACE",
            arity = "0..*",
            description =
                    "Where records stood, as 'quarantine list' says, such as 3@210; without any, all that the options name.")
    private List<String> where = new ArrayList<>();

    @Option(names = "--all", description = "All that is in quarantine.")
    private boolean all;

    @Option(names = "--again", description = "Also what was replayed before.")
    private boolean again;

    @Option(names = "--yes", description = "Write them; without it nothing is written.")
    private boolean yes;

    @Option(names = "--dry-run", description = "Write nothing, which is the default.")
    private boolean dryRun;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    private int missing;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        options.check(problems);
        where.forEach(place -> QuarantineShowCommand.checkPlace(place, problems));
        problems.require(
                all || options.given() || !where.isEmpty(),
                "say which records: places such as 3@210, --reason, --partition, --from or --last, or --all");
        problems.require(!(yes && dryRun), "--yes and --dry-run contradict each other");
        problems.require(!(all && !where.isEmpty()), "--all and places contradict each other");
    }

    @Override
    public Integer call() {
        try (StoredRecords stored = new StoredRecords(kafka.settings(), QuarantineOptions.TIMEOUT)) {
            List<Replay> replays = decide(stored);
            Tally tally = new Tally();
            tally.refused = missing;
            for (int from = 0; from < replays.size(); from += TOGETHER) {
                List<Replay> together = replays.subList(from, Math.min(replays.size(), from + TOGETHER));
                if (yes) {
                    write(together);
                }
                together.forEach(replay -> {
                    tally.count(replay);
                    System.out.println(output == OutputForm.JSON ? json(replay) : line(replay));
                });
            }
            System.out.println(output == OutputForm.JSON ? tally.json(!yes) : tally.line(!yes));
            return tally.refused == 0 ? 0 : 1;
        }
    }

    private List<Replay> decide(StoredRecords stored) {
        Set<Place> places = where.stream().map(Place::parse).collect(Collectors.toSet());
        // Of several at one place the newest.
        TreeMap<Place, Entry> entries = new TreeMap<>();
        options.read(stored, MOST, record -> places.isEmpty() || places.contains(Place.of(record)))
                .entries()
                .forEach(entry -> entries.put(entry.place(), entry));
        for (Place place : new TreeSet<>(places)) {
            if (!entries.containsKey(place)) {
                missing++;
                System.err.println("plimsoll: " + place + " is not in quarantine");
            }
        }
        int partitions = stored.partitions(Topic.SAMPLES);
        // In the order in which they stood, so that a membership comes before its samples.
        return entries.values().stream()
                .sorted(Comparator.comparing(Entry::place))
                .map(entry -> Replay.of(entry, source(stored, entry.record()), partitions, again))
                .toList();
    }

    private static Source source(StoredRecords stored, Quarantined record) {
        return Source.of(
                record,
                stored.at(record.topic(), record.partition(), record.offset()).map(StoredRecords.Stored::bytes));
    }

    /** Each record together with what quarantine says of it then: both or neither. */
    private void write(List<Replay> together) {
        List<Output<?>> outputs = new ArrayList<>();
        for (Replay replay : together) {
            if (replay instanceof Replay.Write write) {
                outputs.add(Output.of(Topic.SAMPLES, write.value().deployment(), write.value()));
                outputs.add(Output.of(Topic.QUARANTINE, write.value().deployment(), write.marker()));
            }
        }
        if (!outputs.isEmpty()) {
            TopicWriter.writeTogether(kafka.settings(), "plimsoll-quarantine-replay", outputs, WRITING);
        }
    }

    private String line(Replay replay) {
        String place = replay.entry().place().toString();
        if (replay instanceof Replay.Write write) {
            String crashed = write.entry().record().reason().equals("CRASHED")
                    ? "; an aggregator that fails at it fails again, three times at most"
                    : "";
            return (yes ? "replayed " : "would replay ") + place + " to partition " + write.partition() + ", "
                    + write.from() + ": " + Topic.SAMPLES.line(write.value()) + crashed;
        }
        return replay instanceof Replay.Skip skip
                ? "skipped " + place + ": " + skip.why()
                : "refused " + place + ": " + ((Replay.Refuse) replay).why();
    }

    private String json(Replay replay) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("place", replay.entry().place().toString());
        if (replay instanceof Replay.Write write) {
            root.put("outcome", yes ? "REPLAYED" : "WOULD_REPLAY")
                    .put("partition", write.partition())
                    .put("from", write.from())
                    .put("record", Topic.SAMPLES.line(write.value()));
        } else if (replay instanceof Replay.Skip skip) {
            root.put("outcome", "SKIPPED").put("why", skip.why());
        } else {
            root.put("outcome", "REFUSED").put("why", ((Replay.Refuse) replay).why());
        }
        return root.toString();
    }

    /** How many of each. */
    private static final class Tally {
        private int written;
        private int skipped;
        private int refused;

        void count(Replay replay) {
            written += replay instanceof Replay.Write ? 1 : 0;
            skipped += replay instanceof Replay.Skip ? 1 : 0;
            refused += replay instanceof Replay.Refuse ? 1 : 0;
        }

        String line(boolean dry) {
            return String.format(
                    Locale.ROOT,
                    "%d %s, %d replayed before, %d refused%s",
                    written,
                    dry ? "would be replayed" : "replayed",
                    skipped,
                    refused,
                    dry && written > 0
                            ? "; nothing is written: add --yes"
                            : !dry && written > 0
                                    ? "; a sample whose window is closed is counted as late, one that is there as duplicate"
                                    : "");
        }

        String json(boolean dry) {
            return JsonNodeFactory.instance
                    .objectNode()
                    .put("dryRun", dry)
                    .put("replayed", dry ? 0 : written)
                    .put("wouldReplay", dry ? written : 0)
                    .put("skipped", skipped)
                    .put("refused", refused)
                    .toString();
        }
    }
}
