package dev.plimsoll.bench.race.streams;

import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;

/** Samples to windows with sums in {@link HeapWindows}. Threads: the task's. */
final class HeapProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    private final String store;
    private final SampleView sample = new SampleView();
    private final Map<DeploymentWindows, WindowPublisher> publishers = new HashMap<>();
    private @Nullable ProcessorContext<byte[], byte[]> context;
    private @Nullable HeapWindows windows;
    private @Nullable DeploymentWindows last;
    private long timestamp;

    HeapProcessor(String store) {
        this.store = store;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> processorContext) {
        context = processorContext;
        HeapWindows found = processorContext.getStateStore(store);
        windows = found;
        try {
            found.load();
        } catch (WireException e) {
            throw new IllegalStateException("the changelog cannot be read", e);
        }
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        HeapWindows all = windows;
        if (all == null) {
            throw new IllegalStateException("Streams initialises a processor before it uses it");
        }
        timestamp = record.timestamp();
        all.timestamp = timestamp;
        int schema = SampleView.schema(record.value());
        if (SampleView.isMembership(schema)) {
            begin(all, record.value());
        } else if (SampleView.isSample(schema)) {
            sample.read(record.value());
            DeploymentWindows deployment = of(all);
            if (deployment != null && deployment.members.incarnation() == sample.incarnation) {
                deployment.add(sample, this::publish);
            }
        }
    }

    private static void begin(HeapWindows all, byte[] record) {
        try {
            Membership members = (Membership) Topic.SAMPLES.decode(record);
            all.deployments.removeIf(one -> one.members.deployment().equals(members.deployment()));
            all.deployments.add(
                    new DeploymentWindows(members, record, HeapWindows.parts(members.boundariesPerWindow())));
        } catch (WireException e) {
            throw new IllegalStateException("a membership cannot be read", e);
        }
    }

    private @Nullable DeploymentWindows of(HeapWindows all) {
        DeploymentWindows found = last;
        if (found == null || !sample.isOf(found.name) || !all.deployments.contains(found)) {
            found = all.deployments.stream()
                    .filter(one -> sample.isOf(one.name))
                    .findFirst()
                    .orElse(null);
            last = found;
        }
        return found;
    }

    private void publish(DeploymentWindows deployment, WindowSums window) {
        if (context == null || windows == null) {
            throw new IllegalStateException("Streams initialises a processor before it uses it");
        }
        publishers.computeIfAbsent(deployment, WindowPublisher::new).publish(window, context, timestamp);
        windows.closed(deployment, window);
    }
}
