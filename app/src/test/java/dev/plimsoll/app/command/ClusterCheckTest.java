package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(90)
class ClusterCheckTest {
    @TempDir
    Path directory;

    private final List<String> lines = new CopyOnWriteArrayList<>();

    @Test
    void itSaysWhatIsAwayUntilBothClusterAndTopicsAreThere() throws Exception {
        // given: a port of a broker that is not there any more
        EmbeddedBroker broker = EmbeddedBroker.start(directory, 0);
        KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
        broker.close();
        ClusterCheck check = new ClusterCheck(kafka, lines::add);
        try (Lifecycle lifecycle = new Lifecycle()) {
            Thread role = new Thread(() -> run(check, lifecycle));
            role.start();

            // when, then
            said("cannot reach Kafka at " + kafka.bootstrapServers() + ", trying on");
            broker = EmbeddedBroker.start(directory, broker.port());
            said("topics missing: " + Topic.all().get(0).name());
            said("plimsoll topics create --bootstrap-servers " + kafka.bootstrapServers());
            assertThat(check.found()).isFalse();
            try (TopicAdmin admin = new TopicAdmin(kafka, Duration.ofSeconds(20))) {
                admin.create(1, 1);
            }
            said("has all topics");
            assertThat(check.found()).isTrue();
            role.join(10_000);
            assertThat(role.isAlive()).isFalse();
        } finally {
            broker.close();
        }
    }

    @Test
    void aStopEndsTheAsking() throws Exception {
        ClusterCheck check = new ClusterCheck(KafkaSettings.of("127.0.0.1:1"), lines::add);
        try (Lifecycle lifecycle = new Lifecycle()) {
            Thread role = new Thread(() -> run(check, lifecycle));
            role.start();
            said("cannot reach Kafka");
            lifecycle.requestStop();
            role.join(10_000);

            assertThat(role.isAlive()).isFalse();
        }
    }

    @Test
    void theSameIsToldOnceAndNotAtEveryTry() {
        ClusterCheck check = new ClusterCheck(KafkaSettings.of("127.0.0.1:1"), lines::add);

        for (int attempt = 0; attempt < 3; attempt++) {
            assertThat(check.ask()).isFalse();
        }

        assertThat(lines).hasSize(1);
    }

    private void said(String words) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(40))
                .until(() -> lines.stream().anyMatch(line -> line.contains(words)));
    }

    private static void run(ClusterCheck check, Lifecycle lifecycle) {
        try {
            check.run(lifecycle);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
