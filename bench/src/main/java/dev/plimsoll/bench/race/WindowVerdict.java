package dev.plimsoll.bench.race;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads all that a contestant has published and holds every window against the exact sums: every layer once, every counter of every
 * sub-window, every summary.
 */
final class WindowVerdict {
    private static final int MOST_FAULTS = 10;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** What of a window has been read. */
    private static final class Found {
        private final ExactWindow exact;
        private final BitSet slots = new BitSet();

        Found(ExactWindow exact) {
            this.exact = exact;
        }
    }

    private final Map<Deployment, DeploymentLog> logs = new HashMap<>();
    private final Map<Deployment, Map<Long, Found>> open = new HashMap<>();
    private final Map<Deployment, Map<Long, Long>> whole = new HashMap<>();
    private final Map<Deployment, Set<Long>> summaries = new HashMap<>();
    private final List<String> faults = new ArrayList<>();
    private final long windows;

    /** @param windows of every deployment that have to be there; what is published beyond them is not looked at */
    WindowVerdict(List<DeploymentLog> logs, long windows) {
        this.windows = windows;
        logs.forEach(log -> this.logs.put(log.members().deployment(), log));
    }

    /** What is wrong with what a contestant has published, in words; empty when nothing is. */
    List<String> faults(String bootstrapServers, Contestant contestant, int partitions) throws WireException {
        each(bootstrapServers, contestant.windows(), partitions, record -> {
            try {
                see(Topic.WINDOWS.decode(record.value()));
            } catch (WireException e) {
                faults.add(contestant.windows() + "@" + record.offset() + " cannot be read: " + e.getMessage());
            }
        });
        each(bootstrapServers, contestant.summaries(), partitions, record -> {
            try {
                see(Topic.WINDOW_SUMMARIES.decode(record.value()));
            } catch (WireException e) {
                faults.add(contestant.summaries() + "@" + record.offset() + " cannot be read: " + e.getMessage());
            }
        });
        logs.keySet().forEach(deployment -> {
            int published = whole.getOrDefault(deployment, Map.of()).size();
            int told = summaries.getOrDefault(deployment, Set.of()).size();
            if (published != windows || told != windows) {
                faults.add(deployment + " has " + published + " windows and " + told + " summaries, not " + windows);
            }
        });
        return faults.size() > MOST_FAULTS ? new ArrayList<>(faults.subList(0, MOST_FAULTS)) : new ArrayList<>(faults);
    }

    private void see(LoadWindow record) {
        DeploymentLog log = logs.get(record.deployment());
        if (log == null || record.index() >= windows) {
            return;
        }
        String name = record.deployment() + " window " + record.index() + " layer " + record.layer();
        Map<Long, Long> done = whole.computeIfAbsent(record.deployment(), d -> new HashMap<>());
        if (done.containsKey(record.index())) {
            faults.add(name + " came again");
            return;
        }
        Map<Long, Found> windowsOpen = open.computeIfAbsent(record.deployment(), d -> new HashMap<>());
        Found found = windowsOpen.computeIfAbsent(record.index(), index -> new Found(log.window(index)));
        int from = record.layer() * found.exact.slots() + record.firstSlot();
        int to = from + record.load().size();
        if (!found.slots.get(from, to).isEmpty()) {
            faults.add(name + " came twice");
        } else if (!found.exact.holds(record)) {
            faults.add(name + " has wrong sums");
        }
        found.slots.set(from, to);
        if (found.slots.cardinality() == found.exact.slots() * found.exact.layers()) {
            windowsOpen.remove(record.index());
            done.put(record.index(), found.exact.accepted());
        }
    }

    private void see(WindowSummary summary) {
        if (!logs.containsKey(summary.deployment()) || summary.index() >= windows) {
            return;
        }
        String name = "summary of " + summary.deployment() + " window " + summary.index();
        if (!summaries
                .computeIfAbsent(summary.deployment(), d -> new HashSet<>())
                .add(summary.index())) {
            faults.add(name + " came twice");
        }
        Long accepted = whole.getOrDefault(summary.deployment(), Map.of()).get(summary.index());
        if (accepted == null || accepted != summary.accepted()) {
            faults.add(name + " says " + summary.accepted() + ", not " + accepted);
        }
    }

    /** All committed records of a topic. */
    private static void each(
            String bootstrapServers, String topic, int partitions, Consumer<ConsumerRecord<byte[], byte[]>> visit) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrapServers,
                        "isolation.level",
                        "read_committed",
                        "auto.offset.reset",
                        "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> all = IntStream.range(0, partitions)
                    .mapToObj(partition -> new TopicPartition(topic, partition))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (all.stream().anyMatch(one -> consumer.position(one) < ends.getOrDefault(one, 0L))) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(
                            topic + " cannot be read to its end within " + PATIENCE + " of silence");
                }
                var records = consumer.poll(Duration.ofMillis(100));
                if (!records.isEmpty()) {
                    deadline = System.nanoTime() + PATIENCE.toNanos();
                }
                records.forEach(visit);
            }
        }
    }
}
