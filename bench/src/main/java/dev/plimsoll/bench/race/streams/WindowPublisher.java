package dev.plimsoll.bench.race.streams;

import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** Forwards the records of closed windows, and has them committed at once where nobody has to catch up. Threads: the task's. */
final class WindowPublisher {
    static final String WINDOWS = "windows";
    static final String SUMMARIES = "summaries";

    /** Behind this, a commit for every window would only slow things down: the commit interval does. */
    private static final long CATCHING_UP_MILLIS = 1000;

    private final DeploymentWindows of;
    private final WindowRecords records;

    WindowPublisher(DeploymentWindows of) {
        this.of = of;
        this.records = new WindowRecords(of);
    }

    void publish(WindowSums window, ProcessorContext<byte[], byte[]> context, long timestamp) {
        for (int layer = 0; layer < of.members.shape().layers(); layer++) {
            context.forward(new Record<>(of.name, records.layer(window, layer), timestamp), WINDOWS);
        }
        RecordMetadata place = context.recordMetadata().orElseThrow();
        context.forward(
                new Record<>(of.name, records.summary(window, place.partition(), place.offset(), timestamp), timestamp),
                SUMMARIES);
        if (context.currentSystemTimeMs() - timestamp < CATCHING_UP_MILLIS) {
            context.commit();
        }
    }
}
