package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class RoleRunTest {
    @Test
    void aRoleThatEndsOfItselfEndsTheProcessAsFailed() throws Exception {
        try (RoleRun run = new RoleRun()) {
            Thread loop = new Thread(() -> run.stopped(new IllegalStateException("not authorized")));
            loop.start();

            assertThat(run.await("aggregator")).isEqualTo(1);
        }
    }

    @Test
    void aRoleThatWasAskedToStopIsDone() throws Exception {
        try (RoleRun run = new RoleRun()) {
            run.lifecycle().requestStop();

            assertThat(run.await("aggregator")).isZero();
        }
    }
}
