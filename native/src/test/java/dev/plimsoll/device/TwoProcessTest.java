package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two ranks in two processes over one segment: what holds between threads must hold between address spaces. */
@Timeout(120)
class TwoProcessTest {
    private static final int BOUNDARIES = 200;
    private static final int BYTES = 1 << 20;
    private static final long FIRST_FLIP = 16L * (BOUNDARIES - 2);

    @TempDir
    Path directory;

    /** One rank's life: counts, votes for one flip at the end, sends its weights to the other rank. */
    static void rank(Path directory, int rank, int boundaries) {
        try (Device device = Device.open("host");
                Stream compute = device.stream("compute");
                DeviceMemory load = device.allocate(8);
                DeviceMemory routed = device.allocate(8);
                DeviceMemory source = device.allocate(BYTES);
                DeviceMemory target = device.allocate(BYTES);
                Communicator communicator = Communicator.open(
                        device, directory.resolve("segment"), 1, 2, rank, 64, BYTES, Duration.ofSeconds(20));
                HeatCapture ring = HeatCapture.open(
                        device,
                        communicator,
                        new HeatCapture.Options(
                                Optional.of(directory.resolve("ring-" + rank)),
                                "two/processes",
                                1,
                                rank,
                                2,
                                1,
                                1,
                                16,
                                load.address(),
                                routed.address()));
                Transfer transfer = communicator.transfer(5)) {
            source.buffer().asLongBuffer().put(0, 4000 + rank);
            transfer.send(1 - rank, source.address(), BYTES, 0);
            transfer.receive(1 - rank, target.address(), BYTES, 0);
            transfer.submit(compute);
            for (int b = 0; b < boundaries; b++) {
                compute.launch(() -> load.buffer().putLong(0, load.buffer().getLong(0) + 1 + rank));
                long step = 16L * b;
                Verdict verdict = ring.begin(compute, step, Duration.ofSeconds(20));
                int level = step >= FIRST_FLIP ? 2 : 0;
                if (step > FIRST_FLIP && verdict.level() != 2) {
                    throw new AssertionError("no agreement at step " + step + ": " + verdict);
                }
                ring.end(new Vote(1, 0, 0, level == 0 ? 0 : 1, level == 0 ? 0 : 1, level, 0));
            }
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while (transfer.poll() == Transfer.Status.PENDING && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            transfer.join(compute);
            compute.synchronize(Duration.ofSeconds(20));
            if (transfer.poll() != Transfer.Status.DONE || target.buffer().getLong(0) != 4001 - rank) {
                throw new AssertionError("weights did not arrive: " + transfer.failure());
            }
        }
    }

    /** The other process: its arguments are directory, rank and boundaries. */
    public static void main(String[] arguments) {
        rank(Path.of(arguments[0]), Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
    }

    private Process fork(int rank, int boundaries) throws IOException {
        List<String> command = List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                TwoProcessTest.class.getName(),
                directory.toString(),
                String.valueOf(rank),
                String.valueOf(boundaries));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
    }

    @Test
    void ranksInTwoProcessesAgreeAndExchangeWeights() throws Exception {
        Process other = fork(1, BOUNDARIES);
        try {
            rank(directory, 0, BOUNDARIES);
            assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(other.exitValue())
                    .as(Files.readString(directory.resolve("output")))
                    .isZero();
            try (HeatRing ring = HeatRing.open(directory.resolve("ring-1"))) {
                assertThat(ring.closed()).isTrue();
                assertThat(ring.header().pid()).isEqualTo(other.pid());
                List<HeatRing.Snapshot> read = Group.readUntil(ring, 16L * (BOUNDARIES - 1));
                HeatRing.Snapshot last = read.get(read.size() - 1);
                assertThat(last.valid()).containsOnly(true);
                assertThat(last.load()).containsExactly(BOUNDARIES, 2L * BOUNDARIES);
            }
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void aKilledProcessLeavesTheOthersUndecidedAndServingOn() throws Exception {
        Process other = fork(1, Integer.MAX_VALUE);
        try (Device device = Device.open("host");
                Stream compute = device.stream("compute");
                DeviceMemory counters = device.allocate(8);
                Communicator communicator = Communicator.open(
                        device, directory.resolve("segment"), 1, 2, 0, 64, BYTES, Duration.ofSeconds(20));
                HeatCapture ring = HeatCapture.open(
                        device,
                        communicator,
                        new HeatCapture.Options(
                                Optional.of(directory.resolve("ring-0")),
                                "two/processes",
                                1,
                                0,
                                2,
                                1,
                                1,
                                16,
                                counters.address(),
                                counters.address()))) {
            Vote willing = new Vote(1, 0, 0, 1, 1, 1, 0);
            // A vote makes begin wait for the other process, so from here on it is known to have come this far.
            ring.begin(compute, 0, Duration.ofSeconds(20));
            ring.end(willing);
            assertThat(ring.begin(compute, 16, Duration.ofSeconds(20)).outcome())
                    .isEqualTo(Verdict.Outcome.RESOLVED);
            other.destroyForcibly();
            assertThat(other.waitFor(20, TimeUnit.SECONDS)).isTrue();
            ring.end(willing);
            Verdict.Outcome outcome = Verdict.Outcome.RESOLVED;
            for (long step = 32; outcome == Verdict.Outcome.RESOLVED; step += 16) {
                // What the other has contributed before it died still counts; then nothing comes any more.
                outcome = ring.begin(compute, step, Duration.ofSeconds(20)).outcome();
                ring.end(willing);
            }
            assertThat(outcome).isEqualTo(Verdict.Outcome.UNDECIDED);
        } finally {
            other.destroyForcibly();
        }
    }
}
