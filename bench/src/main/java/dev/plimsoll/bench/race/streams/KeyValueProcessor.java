package dev.plimsoll.bench.race.streams;

import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Samples to windows with sums in Kafka Streams' own store, a value for every node and window: what most people would write. Threads:
 * the task's.
 */
final class KeyValueProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    static final String SUMS = "sums";
    static final String STEPS = "steps";
    static final String MEMBERS = "members";

    /** What stands in stores beside; rebuilt from them when a task begins. */
    private record Known(DeploymentWindows windows, WindowPublisher publisher, Map<Integer, Long> nodes) {}

    private final SampleView sample = new SampleView();
    private final Map<String, Known> known = new HashMap<>();
    private @Nullable ProcessorContext<byte[], byte[]> context;
    private @Nullable KeyValueStore<String, NodeSums> sums;
    private @Nullable KeyValueStore<String, Long> steps;
    private @Nullable KeyValueStore<String, byte[]> members;

    @Override
    public void init(ProcessorContext<byte[], byte[]> processorContext) {
        context = processorContext;
        sums = processorContext.getStateStore(SUMS);
        KeyValueStore<String, Long> foundSteps = processorContext.getStateStore(STEPS);
        steps = foundSteps;
        KeyValueStore<String, byte[]> foundMembers = processorContext.getStateStore(MEMBERS);
        members = foundMembers;
        try (var all = foundMembers.all()) {
            all.forEachRemaining(entry -> begin(entry.key, entry.value));
        }
        try (var all = foundSteps.all()) {
            all.forEachRemaining(entry -> {
                int end = entry.key.lastIndexOf('#');
                Known one = known.get(entry.key.substring(0, end));
                String what = entry.key.substring(end + 1);
                if (one != null && what.equals("next")) {
                    one.windows.firstOpen = entry.value;
                } else if (one != null) {
                    one.nodes.put(Integer.valueOf(what), entry.value);
                }
            });
        }
    }

    private void begin(String deployment, byte[] record) {
        try {
            Membership membership = (Membership) Topic.SAMPLES.decode(record);
            DeploymentWindows windows =
                    new DeploymentWindows(membership, record, HeapWindows.parts(membership.boundariesPerWindow()));
            known.put(deployment, new Known(windows, new WindowPublisher(windows), new HashMap<>()));
        } catch (WireException e) {
            throw new IllegalStateException("a membership cannot be read", e);
        }
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        if (context == null || sums == null || steps == null || members == null) {
            throw new IllegalStateException("Streams initialises a processor before it uses it");
        }
        String deployment = new String(record.key(), StandardCharsets.UTF_8);
        int schema = SampleView.schema(record.value());
        if (SampleView.isMembership(schema)) {
            begin(deployment, record.value());
            members.put(deployment, record.value());
            return;
        }
        Known one = known.get(deployment);
        if (!SampleView.isSample(schema) || one == null) {
            return;
        }
        sample.read(record.value());
        if (sample.incarnation != one.windows.members.incarnation()) {
            return;
        }
        add(deployment, one, sums);
        if (sample.stepTo > one.nodes.getOrDefault(sample.firstRank, 0L)) {
            one.nodes.put(sample.firstRank, sample.stepTo);
            steps.put(deployment + "#" + sample.firstRank, sample.stepTo);
        }
        while (passed(one, one.windows.firstOpen)) {
            close(deployment, one, sums, context, record.timestamp());
            one.windows.firstOpen++;
            steps.put(deployment + "#next", one.windows.firstOpen);
        }
    }

    private void add(String deployment, Known one, KeyValueStore<String, NodeSums> store) {
        Membership membership = one.windows.members;
        long window = (sample.stepTo - 1) / membership.windowSteps();
        if (window < one.windows.firstOpen) {
            one.windows.late++;
            return;
        }
        int boundary = (int) ((sample.stepTo - 1 - window * membership.windowSteps()) / membership.boundarySteps());
        String key = key(deployment, window, sample.firstRank);
        NodeSums before = store.get(key);
        long[] values = before == null ? new long[one.windows.parts * sample.counters] : before.sums();
        long present = before == null ? 0 : before.present();
        if ((present & 1L << boundary) != 0) {
            return;
        }
        int part = boundary * one.windows.parts / membership.boundariesPerWindow();
        WindowSums.add(sample, values, part * sample.counters);
        store.put(key, new NodeSums(sample.ranks, present | 1L << boundary, values));
    }

    /** Whether all ranks are past the end of a window. */
    private static boolean passed(Known one, long window) {
        long end = one.windows.end(window);
        int nodes = new HashSet<>(one.windows.members.topology().nodeOfRank()).size();
        return one.nodes.size() == nodes && one.nodes.values().stream().allMatch(step -> step >= end);
    }

    private static void close(
            String deployment,
            Known one,
            KeyValueStore<String, NodeSums> store,
            ProcessorContext<byte[], byte[]> context,
            long timestamp) {
        long index = one.windows.firstOpen;
        WindowSums window = new WindowSums(one.windows.progress.length, one.windows.cells(), one.windows.parts);
        window.begin(index);
        for (int firstRank : one.nodes.keySet()) {
            NodeSums node = store.delete(key(deployment, index, firstRank));
            if (node != null) {
                int counters = node.ranks() * window.cells;
                for (int part = 0; part < window.parts; part++) {
                    System.arraycopy(
                            node.sums(),
                            part * counters,
                            window.sums,
                            (part * window.ranks + firstRank) * window.cells,
                            counters);
                }
                for (int rank = 0; rank < node.ranks(); rank++) {
                    window.present[firstRank + rank] = node.present();
                }
            }
        }
        one.publisher.publish(window, context, timestamp);
    }

    private static String key(String deployment, long window, int firstRank) {
        return deployment + "#" + window + "#" + firstRank;
    }
}
