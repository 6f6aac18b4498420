package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.planner.Planner;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The windows topic ends before what the planner's group has committed: it was made again, or has lost its end. */
class PlannerBeyondTheLogTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String GROUP = Topic.PREFIX + "planner";
    private static final TopicPartition WINDOWS = new TopicPartition(Topic.WINDOWS.name(), 0);

    @TempDir
    Path directory;

    @Test
    void plannerTakesThePartitionAndCommitsAnOffsetThatExists() throws Exception {
        List<Throwable> quarantined = new CopyOnWriteArrayList<>();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);
                Admin admin =
                        Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()))) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin topics = new TopicAdmin(kafka, SOON)) {
                topics.create(1, 1);
            }
            admin.alterConsumerGroupOffsets(
                            GROUP, Map.of(WINDOWS, new OffsetAndMetadata(1000, "looks back to 900 in another")))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            try (Planner planner = new Planner(
                    kafka, PlannerSettings.DEFAULTS, "test", PlannerListener.NONE, new PartitionLoop.Listener() {
                        @Override
                        public void onQuarantined(int partition, Throwable cause) {
                            quarantined.add(cause);
                        }
                    })) {
                planner.start();

                await("an offset that exists").atMost(SOON).until(() -> committed(admin) == 0);
                await("work on all partitions").atMost(SOON).until(planner::settled);
            }
        }
        assertThat(quarantined).isEmpty();
    }

    private static long committed(Admin admin) throws Exception {
        return Objects.requireNonNull(admin.listConsumerGroupOffsets(GROUP)
                        .partitionsToOffsetAndMetadata()
                        .get(30, TimeUnit.SECONDS)
                        .get(WINDOWS))
                .offset();
    }
}
