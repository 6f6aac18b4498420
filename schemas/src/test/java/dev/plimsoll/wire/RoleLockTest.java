package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoleLockTest {
    @TempDir
    Path directory;

    @Test
    void oneOfEachRoleHoldsADirectoryUntilItLetsGo() {
        Optional<RoleLock> first = RoleLock.tryHold(directory, "collector");
        assertThat(first).isPresent();
        assertThat(RoleLock.tryHold(directory, "collector")).isEmpty();
        assertThat(RoleLock.tryHold(directory, "worker")).as("another role").isPresent();

        first.get().close();

        assertThat(RoleLock.tryHold(directory, "collector")).isPresent();
    }

    @Test
    void directoryThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> RoleLock.tryHold(directory.resolve("gone"), "worker"))
                .hasMessageContaining("gone/worker.lock");
    }
}
