package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.wire.kafka.KafkaSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
    void aRoleThatWasAskedToStopIsDone() throws Exception {
        try (RoleRun run = new RoleRun()) {
            run.lifecycle().requestStop();

            assertThat(run.await("aggregator", nowhere)).isZero();
        }
    }
}
