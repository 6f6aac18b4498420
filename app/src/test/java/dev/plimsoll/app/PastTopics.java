package dev.plimsoll.app;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.export.DeploymentRecords.Dated;
import dev.plimsoll.replay.export.PastRun;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Puts what was written days ago into the topics of today. */
public final class PastTopics {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int TRANSACTION = 7;

    private PastTopics() {}

    /** @param newest whether it is the incarnation whose membership a compacted topic keeps */
    public static void write(KafkaSettings settings, PastRun past, boolean newest) {
        Deployment of = past.members.deployment();
        List<Output<?>> outputs = new ArrayList<>();
        outputs.add(Output.of(Topic.SAMPLES, of, past.members));
        if (newest) {
            outputs.add(Output.of(Topic.MEMBERS, of, past.members));
        }
        add(outputs, Topic.PLAN, of, past.plan);
        add(outputs, Topic.WINDOWS, of, past.rows);
        add(outputs, Topic.WINDOW_SUMMARIES, of, past.summaries);
        add(outputs, Topic.ACKS, of, past.acks);
        add(outputs, Topic.OUTCOMES, of, past.outcomes);
        add(outputs, Topic.PLACEMENTS, of, past.placements);
        // Many transactions, as loops write them; their marks are of today among windows of days ago.
        for (int from = 0; from < outputs.size(); from += TRANSACTION) {
            TopicWriter.writeTogether(
                    settings, "test", outputs.subList(from, Math.min(outputs.size(), from + TRANSACTION)), SOON);
        }
    }

    private static <T> void add(List<Output<?>> outputs, Topic<T> topic, Deployment of, List<Dated<T>> records) {
        records.forEach(record -> outputs.add(Output.at(topic, of, record.value(), record.timestampMillis())));
    }
}
