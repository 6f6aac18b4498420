package dev.plimsoll.device;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures what a boundary costs the dispatch thread, and what gathering costs the machine: a program, not a test.
 *
 * <p>Arguments: ranks, layers, slots per rank, boundaries per second, seconds. Prints quantiles of begin + end in
 * microseconds, and the share of one core that the whole process took.
 */
final class BoundaryCost {
    private BoundaryCost() {}

    private record Rank(Stream compute, Communicator communicator, HeatCapture ring) {}

    public static void main(String[] arguments) throws IOException {
        int ranks = Integer.parseInt(arguments[0]);
        int layers = Integer.parseInt(arguments[1]);
        int slots = Integer.parseInt(arguments[2]);
        int rate = Integer.parseInt(arguments[3]);
        int boundaries = rate * Integer.parseInt(arguments[4]);
        Path shared = Path.of("/dev/shm");
        Path directory = Files.createTempDirectory(Files.isDirectory(shared) ? shared : Path.of("/tmp"), "plimsoll-");
        List<Rank> group = new ArrayList<>();
        List<DeviceMemory> memory = new ArrayList<>();
        try (Device device = Device.open("host")) {
            for (int rank = 0; rank < ranks; rank++) {
                DeviceMemory load = device.allocate(8L * layers * slots);
                DeviceMemory routed = device.allocate(8L * layers);
                memory.addAll(List.of(load, routed));
                Communicator communicator = Communicator.open(
                        device,
                        directory.resolve("segment"),
                        1,
                        ranks,
                        rank,
                        32 + 8L * layers * (slots + 1),
                        0,
                        Duration.ofSeconds(10));
                HeatCapture.Options options = new HeatCapture.Options(
                        directory.resolve("ring-" + rank),
                        "cost",
                        1,
                        rank,
                        ranks,
                        layers,
                        slots,
                        16,
                        load.address(),
                        routed.address());
                group.add(new Rank(
                        device.stream("compute-" + rank),
                        communicator,
                        HeatCapture.open(device, communicator, options)));
            }
            long[] nanos = new long[boundaries * ranks];
            long cpu = 0;
            long wall = 0;
            long period = 1_000_000_000L / rate;
            for (int round = 0; round < 2; round++) {
                // The first round warms the compiler up, the second counts.
                long cpuStart = processNanos();
                long start = System.nanoTime();
                for (int b = 0; b < boundaries; b++) {
                    long step = 16L * (b + (long) round * boundaries);
                    for (int rank = 0; rank < ranks; rank++) {
                        Rank each = group.get(rank);
                        long before = System.nanoTime();
                        each.ring().begin(each.compute(), step, Duration.ofSeconds(1));
                        each.ring().end(Vote.none(1, 0));
                        nanos[b * ranks + rank] = System.nanoTime() - before;
                    }
                    long next = start + (b + 1) * period;
                    for (long left = next - System.nanoTime(); left > 0; left = next - System.nanoTime()) {
                        LockSupport.parkNanos(left);
                    }
                }
                cpu = processNanos() - cpuStart;
                wall = System.nanoTime() - start;
            }
            Arrays.sort(nanos);
            System.out.printf(
                    "%d ranks, %d layers, %d slots, %d/s: begin+end p50 %.1f p99 %.1f max %.1f us; %.0f %% of a core; %s%n",
                    ranks,
                    layers,
                    slots,
                    rate,
                    nanos[nanos.length / 2] / 1e3,
                    nanos[(int) (nanos.length * 0.99)] / 1e3,
                    nanos[nanos.length - 1] / 1e3,
                    100.0 * cpu / wall,
                    group.get(0).ring().stats());
            group.forEach(each -> each.ring().close());
            group.forEach(each -> each.communicator().close());
            group.forEach(each -> each.compute().close());
            memory.forEach(DeviceMemory::close);
        } finally {
            try (var files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }

    private static long processNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }
}
