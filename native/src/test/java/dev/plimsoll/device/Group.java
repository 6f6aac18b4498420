package dev.plimsoll.device;

import java.nio.LongBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Ranks of one group in one process, each with counters, a compute stream, a communicator and a ring. */
final class Group implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(20);
    static final int LAYERS = 3;
    static final int SLOTS = 4;
    static final int K = 16;
    static final long INCARNATION = 77;

    final Device device = Device.open("host");
    final List<Member> members = new ArrayList<>();

    /** One rank. Closed last to first: ring, communicator, stream, memory. */
    final class Member implements AutoCloseable {
        final int rank;
        final DeviceMemory load;
        final DeviceMemory routed;
        final Stream compute;
        final Communicator communicator;
        final HeatCapture ring;
        final Path file;

        Member(Path directory, int rank, int ranks, Duration timeout) {
            this.rank = rank;
            load = device.allocate(8L * LAYERS * SLOTS);
            routed = device.allocate(8L * LAYERS);
            compute = device.stream("compute-" + rank);
            communicator = Communicator.open(
                    device, directory.resolve("segment"), 1, ranks, rank, gatherBytes(), 1 << 16, timeout);
            file = directory.resolve("ring-" + rank);
            ring = HeatCapture.open(
                    device,
                    communicator,
                    new HeatCapture.Options(
                            Optional.of(file),
                            "test/decode-0",
                            INCARNATION,
                            rank,
                            ranks,
                            LAYERS,
                            SLOTS,
                            K,
                            load.address(),
                            routed.address()));
        }

        /** Enqueues a kernel that adds {@code amount} to all counters of this rank. */
        void count(long amount) {
            LongBuffer loads = load.buffer().asLongBuffer();
            LongBuffer routes = routed.buffer().asLongBuffer();
            compute.launch(() -> {
                for (int i = 0; i < loads.capacity(); i++) {
                    loads.put(i, loads.get(i) + amount);
                }
                for (int i = 0; i < routes.capacity(); i++) {
                    routes.put(i, routes.get(i) + amount * SLOTS);
                }
            });
        }

        Verdict boundary(long step, Vote vote) {
            Verdict verdict = ring.begin(compute, step, PATIENCE);
            ring.end(vote);
            return verdict;
        }

        @Override
        public void close() {
            compute.synchronize(PATIENCE);
            ring.close();
            communicator.close();
            compute.close();
            load.close();
            routed.close();
        }
    }

    Group(Path directory, int ranks) {
        this(directory, ranks, ranks, PATIENCE);
    }

    /** Opens {@code present} of {@code ranks} ranks. */
    Group(Path directory, int present, int ranks, Duration timeout) {
        for (int rank = 0; rank < present; rank++) {
            members.add(new Member(directory, rank, ranks, timeout));
        }
    }

    static long gatherBytes() {
        return 32 + 8L * LAYERS * (SLOTS + 1);
    }

    static Vote idle() {
        return Vote.none(INCARNATION, 5);
    }

    static Vote voting(int epoch, int batch, int level, long planHash) {
        return new Vote(INCARNATION, 5, 0, epoch, batch, level, planHash);
    }

    /** Waits until a snapshot of at least this step is there, and returns all that were read on the way. */
    static List<HeatRing.Snapshot> readUntil(HeatRing reader, long step) {
        List<HeatRing.Snapshot> read = new ArrayList<>();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (read.isEmpty() || read.get(read.size() - 1).step() < step) {
            reader.poll().ifPresentOrElse(read::add, Thread::onSpinWait);
            if (System.nanoTime() > deadline) {
                throw new AssertionError(
                        "no snapshot of step " + step + " within " + PATIENCE + ", read " + read.size());
            }
        }
        return read;
    }

    @Override
    public void close() {
        members.forEach(Member::close);
        device.close();
    }
}
