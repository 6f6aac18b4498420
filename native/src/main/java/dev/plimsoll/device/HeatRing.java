package dev.plimsoll.device;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The node's end of one rank's heat ring: a read-only view of the file that the engine's process publishes to.
 *
 * <p>Pure Java (a memory-mapped file read under a seqlock), so that a collector needs no native code. One thread per
 * reader; any number of readers. Reading costs the engine nothing and cannot block it.
 */
public final class HeatRing implements AutoCloseable {

    /** What the ring's header says of its engine. */
    public record Header(
            String deployment,
            long incarnation,
            int rank,
            int ranks,
            int layers,
            int slotsPerRank,
            int boundarySteps,
            long pid) {}

    /**
     * One gathered snapshot: the counters of all ranks as they stood at a boundary.
     *
     * @param sequence 1, 2, 3… over the snapshots that this ring has published; a jump means that the reader missed some
     * @param step the boundary
     * @param votes {@code [rank]}; the placement state in them is the one that the steps up to this boundary ran under
     * @param valid {@code [rank]}: false where a rank gathered a marker in place of heat; its counters are then 0
     * @param load {@code [rank][layer][slot]} flattened, absolute counters
     * @param routed {@code [rank][layer]} flattened, absolute counters
     * @param capturedNanos {@code CLOCK_REALTIME} at which the boundary was staged on the ring's own rank
     */
    @SuppressWarnings("ArrayRecordComponent") // large, handed over once, and compared by nobody
    public record Snapshot(
            long sequence, long step, Vote[] votes, boolean[] valid, long[] load, long[] routed, long capturedNanos) {}

    // The layout of heat_file.h.
    private static final long MAGIC = 0x474e49524d494c50L;
    private static final int ABI = 1;
    private static final int HEADER_BYTES = 4096;
    private static final int HEARTBEAT = 72;
    private static final int CLOSED = 80;
    private static final int DEPLOYMENT = 88;
    private static final int STATE = 512;
    private static final int STATE_WORDS = 10;
    private static final int SLOT_HEAD_BYTES = 64;
    private static final int VOTE_WORDS = 4;

    /** Looks at a writer in the middle of its work before giving up; the writer needs microseconds. */
    private static final int ATTEMPTS = 100_000;

    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final MappedByteBuffer map;
    private final Header header;
    private final int slotCount;
    private final int slotBytes;
    private long seen;

    private HeatRing(MappedByteBuffer map, Header header, int slotCount, int slotBytes) {
        this.map = map;
        this.header = header;
        this.slotCount = slotCount;
        this.slotBytes = slotBytes;
    }

    /**
     * Opens a ring's file; throws {@link java.io.UncheckedIOException} naming what is wrong with it.
     *
     * <p>An engine that restarts puts a new file in its place: a reader keeps the old one, which stays closed or whose
     * heartbeat stands still, and has to open again.
     */
    public static HeatRing open(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size < HEADER_BYTES || size > Integer.MAX_VALUE) {
                throw new IOException(file + " is no heat ring: it has " + size + " bytes");
            }
            MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_ONLY, 0, size);
            map.order(ByteOrder.LITTLE_ENDIAN);
            if (map.getLong(0) != MAGIC || map.getInt(8) != ABI) {
                throw new IOException(file + " is no heat ring of version " + ABI + ": magic "
                        + Long.toHexString(map.getLong(0)) + ", version " + map.getInt(8));
            }
            int slotCount = map.getInt(12);
            long slotBytes = map.getLong(16);
            int ranks = map.getInt(52);
            int layers = map.getInt(56);
            int slotsPerRank = map.getInt(60);
            byte[] deployment = new byte[Math.min(200, map.getInt(68))];
            map.get(DEPLOYMENT, deployment);
            long words = ranks * (VOTE_WORDS + (long) layers * slotsPerRank + layers);
            if (slotCount < 1
                    || slotBytes < SLOT_HEAD_BYTES + words * Long.BYTES
                    || size != HEADER_BYTES + slotCount * slotBytes) {
                throw new IOException(file + " contradicts itself: " + size + " bytes for " + slotCount + " slots of "
                        + slotBytes + " bytes with " + words + " words each");
            }
            Header header = new Header(
                    new String(deployment, StandardCharsets.UTF_8),
                    map.getLong(40),
                    map.getInt(48),
                    ranks,
                    layers,
                    slotsPerRank,
                    map.getInt(64),
                    map.getLong(24));
            return new HeatRing(map, header, slotCount, Math.toIntExact(slotBytes));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open heat ring " + file + ": " + e.getMessage(), e);
        }
    }

    public Header header() {
        return header;
    }

    /** The oldest snapshot still in the ring that this reader has not yet seen. Never a torn one. */
    public Optional<Snapshot> poll() {
        long wanted = seen + 1;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int at = HEADER_BYTES + (int) ((wanted - 1) % slotCount) * slotBytes;
            long lock = (long) LONG.getAcquire(map, at);
            long found = (long) LONG.getOpaque(map, at + 8);
            if ((lock & 1) != 0) {
                // Being written: with the wanted one, or with one that replaces it, which the slot after it shows.
                if (found <= wanted && !published(wanted + 1)) {
                    return Optional.empty();
                }
                wanted++;
            } else if (found < wanted) {
                return Optional.empty();
            } else if (found > wanted) {
                wanted = Math.max(wanted + 1, found - slotCount + 1);
            } else {
                Snapshot snapshot = read(at, wanted);
                if (snapshot != null) {
                    seen = wanted;
                    return Optional.of(snapshot);
                }
            }
        }
        throw new IllegalStateException("heat ring of " + header.deployment() + " rank " + header.rank()
                + ": a snapshot was never still while it was read " + ATTEMPTS + " times");
    }

    private boolean published(long sequence) {
        int at = HEADER_BYTES + (int) ((sequence - 1) % slotCount) * slotBytes;
        return (long) LONG.getOpaque(map, at + 8) >= sequence;
    }

    private @Nullable Snapshot read(int at, long sequence) {
        long lock = (long) LONG.getAcquire(map, at);
        if ((lock & 1) != 0 || (long) LONG.getOpaque(map, at + 8) != sequence) {
            return null;
        }
        long step = (long) LONG.getOpaque(map, at + 16);
        long capturedNanos = (long) LONG.getOpaque(map, at + 24);
        int ranks = header.ranks();
        int layers = header.layers();
        int next = at + SLOT_HEAD_BYTES;
        long[] votes = words(next, ranks * VOTE_WORDS);
        next += votes.length * Long.BYTES;
        long[] load = words(next, ranks * layers * header.slotsPerRank());
        next += load.length * Long.BYTES;
        long[] routed = words(next, ranks * layers);
        // All reads above come before the second look at the lock.
        VarHandle.acquireFence();
        if ((long) LONG.getOpaque(map, at) != lock) {
            return null;
        }
        Vote[] decoded = new Vote[ranks];
        boolean[] valid = new boolean[ranks];
        ByteBuffer bytes = ByteBuffer.allocate(votes.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(votes);
        for (int rank = 0; rank < ranks; rank++) {
            int vote = rank * VOTE_WORDS * Long.BYTES;
            decoded[rank] = new Vote(
                    bytes.getLong(vote),
                    bytes.getInt(vote + 8),
                    Short.toUnsignedInt(bytes.getShort(vote + 16)),
                    bytes.getInt(vote + 12),
                    Short.toUnsignedInt(bytes.getShort(vote + 18)),
                    bytes.get(vote + 20),
                    bytes.getLong(vote + 24));
            valid[rank] = (bytes.get(vote + 21) & 1) != 0;
        }
        return new Snapshot(sequence, step, decoded, valid, load, routed, capturedNanos);
    }

    private long[] words(int at, int count) {
        long[] words = new long[count];
        for (int i = 0; i < count; i++) {
            words[i] = (long) LONG.getOpaque(map, at + i * Long.BYTES);
        }
        return words;
    }

    /** The rank's state, read consistently. */
    public RankState state() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            long lock = (long) LONG.getAcquire(map, STATE);
            long[] words = words(STATE + Long.BYTES, STATE_WORDS);
            VarHandle.acquireFence();
            if ((lock & 1) == 0 && (long) LONG.getOpaque(map, STATE) == lock) {
                return new RankState(
                        words[0],
                        (int) words[1],
                        (int) words[2],
                        (int) words[3],
                        (int) words[4],
                        words[5],
                        (int) words[6],
                        words[7] != 0,
                        words[8],
                        words[9]);
            }
            Thread.onSpinWait();
        }
        throw new IllegalStateException("heat ring of " + header.deployment() + " rank " + header.rank()
                + ": its engine died while it wrote its state");
    }

    /** {@code CLOCK_REALTIME} nanoseconds of the library's last sign of life (it writes one every 100 ms). */
    public long heartbeatNanos() {
        return (long) LONG.getAcquire(map, HEARTBEAT);
    }

    /** Whether the engine closed the ring in order. */
    public boolean closed() {
        return (int) INT.getAcquire(map, CLOSED) != 0;
    }

    /** Lets go of the file; its mapping ends when the garbage collector finds it unused. */
    @Override
    public void close() {
        // The JDK cannot unmap safely before 22, and a few megabytes of shared pages do no harm until then.
    }
}
