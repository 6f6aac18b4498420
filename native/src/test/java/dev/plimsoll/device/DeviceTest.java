package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DeviceTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int UNAVAILABLE = -2;
    private static final int TIMEOUT = -4;
    private static final int STATE = -5;

    @Test
    void hostIsAlwaysThereAndTheOthersSayWhyNot() {
        assertThat(Device.probe("host").available()).isTrue();
        for (String backend : new String[] {"ascend", "cuda"}) {
            Device.Probe probe = Device.probe(backend);
            assertThat(probe.available()).isFalse();
            assertThat(probe.reason()).isNotEmpty();
            assertThatThrownBy(() -> Device.open(backend))
                    .isInstanceOfSatisfying(
                            DeviceException.class, e -> assertThat(e.status()).isEqualTo(UNAVAILABLE));
        }
        assertThatThrownBy(() -> Device.probe("abacus")).hasMessageContaining("host, ascend and cuda");
    }

    @Test
    void librariesAreLookedForWhereTheCallerSays(@TempDir Path empty) {
        assertThatThrownBy(() -> Device.open("cuda", Optional.of(empty))).hasMessageContaining(empty.toString());
        try (Device device = Device.open("host", Optional.of(empty))) {
            // Of threads, what the system calls nice; it may refuse, so nothing is promised.
            assertThat(device.priority()).isEqualTo(new Device.Priority(5, false));
        }
    }

    @Test
    void kernelsAndCopiesRunInOrder() {
        try (Device device = Device.open("host");
                Stream stream = device.stream("s");
                DeviceMemory from = device.allocate(8);
                DeviceMemory to = device.allocate(8)) {
            assertThat(from.buffer().order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
            assertThat(from.address() % 64).isZero();
            assertThat(from.buffer().getLong(0)).isZero();
            AtomicInteger order = new AtomicInteger();
            for (int i = 0; i < 1000; i++) {
                int turn = i;
                stream.launch(() -> {
                    if (order.getAndIncrement() != turn) {
                        throw new AssertionError("kernel " + turn + " ran out of order");
                    }
                    from.buffer().putLong(0, turn);
                });
            }
            stream.copy(to.address(), from.address(), 8);
            stream.launch(() -> from.buffer().putLong(0, -1));
            stream.synchronize(PATIENCE);
            assertThat(to.buffer().getLong(0)).isEqualTo(999);
        }
    }

    @Test
    void whatAKernelThrowsFailsSynchronizeOnce() {
        try (Device device = Device.open("host");
                Stream stream = device.stream("s")) {
            IllegalStateException thrown = new IllegalStateException("bad expert");
            stream.launch(() -> {
                throw thrown;
            });
            assertThatThrownBy(() -> stream.synchronize(PATIENCE))
                    .isInstanceOf(DeviceException.class)
                    .hasCause(thrown);
            stream.synchronize(PATIENCE);
        }
    }

    @Test
    void synchronizeGivesUpAtItsTimeout() {
        CountDownLatch latch = new CountDownLatch(1);
        try (Device device = Device.open("host");
                Stream stream = device.stream("s")) {
            stream.launch(() -> {
                try {
                    latch.await(20, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            assertThatThrownBy(() -> stream.synchronize(Duration.ofMillis(20)))
                    .isInstanceOfSatisfying(
                            DeviceException.class, e -> assertThat(e.status()).isEqualTo(TIMEOUT))
                    .hasMessageContaining("1 operations");
            latch.countDown();
        }
    }

    @Test
    void aDeviceDoesNotCloseBeforeWhatWasMadeFromIt() {
        Device device = Device.open("host");
        Stream stream = device.stream("s");
        DeviceMemory memory = device.allocate(8);
        assertThatThrownBy(() -> device.close(Duration.ofMillis(20)))
                .hasMessageContaining("1 stream")
                .hasMessageContaining("1 memory block");
        stream.close();
        memory.close();
        device.close();
        device.close();
    }

    @Test
    void aStaleHandleIsRefusedAndNeverACrash() {
        Device device = Device.open("host");
        Stream stream = device.stream("s");
        stream.close();
        assertThatThrownBy(() -> stream.launch(() -> {}))
                .isInstanceOfSatisfying(
                        DeviceException.class, e -> assertThat(e.status()).isEqualTo(STATE))
                .hasMessageContaining("no open stream");
        device.close();
        assertThatThrownBy(() -> device.allocate(8)).hasMessageContaining("no open device");
    }
}
