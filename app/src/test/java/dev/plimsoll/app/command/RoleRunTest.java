package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.KafkaSetupException;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class RoleRunTest {
    private final ClusterCheck nowhere = new ClusterCheck(KafkaSettings.of("127.0.0.1:1"), line -> {});

    @Test
    void aRoleThatEndsOfItselfEndsTheProcessAsFailed() throws Exception {
        try (RoleRun run = new RoleRun()) {
            Thread loop = new Thread(() -> run.stopped(new IllegalStateException("not authorized")));
            loop.start();

            assertThat(run.await("aggregator", nowhere)).isEqualTo(1);
        }
    }

    @Test
    @Timeout(180)
    void aRoleWithoutWorkKnowsThatItsBrokerIsAwayAndWhenItIsBack(@TempDir Path directory) throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.start(directory, 0);
        try (RoleRun run = new RoleRun()) {
            KafkaSettings kafka = run.kafka("collector", KafkaSettings.of(broker.bootstrapServers()));
            try (TopicAdmin admin = new TopicAdmin(kafka, Duration.ofSeconds(20))) {
                admin.create(1, 1);
            }
            ClusterCheck check = new ClusterCheck(kafka, line -> {});
            assertThat(run.near(check)).as("nobody has asked yet").isFalse();
            Thread role = new Thread(() -> await(run, check));
            role.start();
            await(() -> run.near(check));

            broker.close();
            await(() -> !run.near(check));

            broker = EmbeddedBroker.start(directory, broker.port());
            await(() -> run.near(check));
            run.lifecycle().requestStop();
            role.join(10_000);
            assertThat(role.isAlive()).isFalse();
        } finally {
            broker.close();
        }
    }

    private static void await(BooleanSupplier condition) {
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(condition::getAsBoolean);
    }

    private static void await(RoleRun run, ClusterCheck check) {
        try {
            run.await("collector", check);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void whatNoWaitingMendsEndsTheRoleAtOnce() {
        ClusterCheck wrong = new ClusterCheck(KafkaSettings.of("localhost"), line -> {});
        try (RoleRun run = new RoleRun()) {
            assertThatThrownBy(() -> run.await("collector", wrong))
                    .isInstanceOf(KafkaSetupException.class)
                    .hasMessageContaining("Invalid url in bootstrap.servers: localhost");
        }
    }

    @Test
    void aRoleThatWasAskedToStopIsDone() throws Exception {
        try (RoleRun run = new RoleRun()) {
            run.lifecycle().requestStop();

            assertThat(run.await("aggregator", nowhere)).isZero();
        }
    }
}
