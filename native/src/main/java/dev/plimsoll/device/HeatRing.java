package dev.plimsoll.device;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The node's end of one rank's heat ring: a read-only view of the file that the engine's process publishes to.
 *
 * <p>Pure Java (a memory-mapped file read under a seqlock), so that a collector needs no native code. One thread per
 * reader; any number of readers. Reading costs the engine nothing and cannot block it.
 *
 * <p>What reads looks at the file's length first, and throws {@link IllegalStateException} once somebody has cut it short, for memory
 * mapped beyond a file's end cannot be read. Where it is cut in the very moment of reading, the JVM makes an {@link InternalError} of it.
 */
public final class HeatRing implements AutoCloseable {

    /** What an engine's load counters count: the segments that its ring was made of. */
    public enum Load {
        /** Tokens that the rank's own slots computed. */
        COMPUTED,
        /** What the rank's router sent to every slot; a gather adds it up to what is computed. */
        ROUTED_TO,
        /** The rank's own columns of what every rank routes: computed as well. */
        REPLICATED
    }

    /**
     * What the ring's header says of its engine.
     *
     * @param ranks of the group
     * @param firstRank snapshots hold ranks {@code [firstRank, firstRank + width)}
     * @param width all ranks of the group, or 1 in a ring that never gathers
     * @param load what its load counters count
     * @param routedKnown whether the engine counts what its router assigned
     * @param pid of the engine's process, in its own pid namespace
     * @param startTicks when that process started, in the kernel's ticks since boot: tells it from another one that was
     *     given the same pid later; 0 when it is not known
     */
    public record Header(
            String deployment,
            long incarnation,
            int rank,
            int ranks,
            int layers,
            int slotsPerRank,
            int boundarySteps,
            int firstRank,
            int width,
            Load load,
            boolean routedKnown,
            long pid,
            long startTicks) {}

    /**
     * One snapshot: counters as they stood at a boundary. Ranks count from the first rank that the ring holds.
     *
     * @param sequence 1, 2, 3… over the snapshots that this ring has published; a jump means that the reader missed some
     * @param step the boundary
     * @param gathered true: all ranks of the ring, by one gather. False: the ring's own rank alone; of the others nothing
     *     is known, their votes and counters are 0
     * @param firstRank the rank that index 0 stands for
     * @param votes {@code [rank]}; the placement state in them is the one that the steps up to this boundary ran under
     * @param valid {@code [rank]}: false where a rank gathered a marker in place of heat; its counters are then 0
     * @param load {@code [rank][layer][slot]} flattened, absolute counters; where {@code sent}, of the ring's own rank alone,
     *     {@code [layer][slot of any rank]}
     * @param routed {@code [rank][layer]} flattened, absolute counters; empty where the engine does not know them
     * @param capturedNanos {@code CLOCK_REALTIME} at which the boundary was staged on the ring's own rank
     * @param mixed {@code [rank]}: whether the steps up to this boundary ran under more than one map of experts
     * @param sent whether load is what the ring's own rank sent to the slots of all ranks, which nobody has added up
     * @param resets how often counters that a gather adds up had fallen on some rank: across one of them no difference means anything
     */
    @SuppressWarnings("ArrayRecordComponent") // large, handed over once, and compared by nobody
    public record Snapshot(
            long sequence,
            long step,
            boolean gathered,
            int firstRank,
            Vote[] votes,
            boolean[] valid,
            long[] load,
            long[] routed,
            long capturedNanos,
            boolean[] mixed,
            boolean sent,
            long resets) {
        /** Of tokens computed, under one map of experts. */
        public Snapshot(
                long sequence,
                long step,
                boolean gathered,
                int firstRank,
                Vote[] votes,
                boolean[] valid,
                long[] load,
                long[] routed,
                long capturedNanos) {
            this(
                    sequence,
                    step,
                    gathered,
                    firstRank,
                    votes,
                    valid,
                    load,
                    routed,
                    capturedNanos,
                    new boolean[votes.length],
                    false,
                    0);
        }
    }

    /**
     * Arrays that counters are read into, over and over: those of a snapshot stand until the next one is read with these. For one
     * thread; holds as much as the largest look at a ring takes.
     */
    public static final class Buffers {
        private long[] load = {};
        private long[] routed = {};

        private long[] load(int length) {
            load = load.length == length ? load : new long[length];
            return load;
        }

        private long[] routed(int length) {
            routed = routed.length == length ? routed : new long[length];
            return routed;
        }
    }

    /** Which snapshot is the newest, without its counters. */
    public record Newest(long sequence, long step, boolean gathered) {}

    // The layout of heat_file.h, where it is explained.
    private static final long MAGIC = 0x474e49524d494c50L;
    private static final int ABI = 2;
    /** Of rings whose counters a gather adds up. */
    private static final int ABI_SENT = 3;

    private static final int HEADER_BYTES = 4096;
    private static final int HEARTBEAT = 72;
    private static final int CLOSED = 80;
    private static final int FLAGS = 84;
    private static final int DEPLOYMENT = 88;
    private static final int START_TICKS = 288;
    private static final int FIRST_RANK = 296;
    private static final int WIDTH = 300;
    private static final int PID_NAMESPACE = 304;
    private static final int STATE = 512;
    private static final int STATE_WORDS = 15;
    private static final int TIMES = 1024;
    private static final int TIMES_COUNT = 32;
    private static final int TIMES_BYTES = 32;
    private static final int FLIPS = 2048;
    private static final int FLIPS_COUNT = 32;
    private static final int FLIPS_BYTES = 64;
    private static final int SLOT_HEAD_BYTES = 64;
    private static final int VOTE_WORDS = 4;

    /** Looks at a writer in the middle of its work before giving up; the writer needs microseconds. */
    private static final int ATTEMPTS = 100_000;

    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long[] NOTHING = {};

    private final Path file;
    private final @Nullable Object key;
    private final MappedByteBuffer map;
    /** The same memory; index 1 is byte 8. */
    private final LongBuffer longs;

    private final Header header;
    private final int slotCount;
    private final int slotBytes;
    private long seen;

    private HeatRing(
            Path file, @Nullable Object key, MappedByteBuffer map, Header header, int slotCount, int slotBytes) {
        this.file = file;
        this.key = key;
        this.map = map;
        this.longs = map.asLongBuffer();
        this.header = header;
        this.slotCount = slotCount;
        this.slotBytes = slotBytes;
    }

    /**
     * Opens a ring's file; throws {@link java.io.UncheckedIOException} naming what is wrong with it.
     *
     * <p>An engine that restarts puts a new file in its place: a reader keeps the old one, and has to open again when that
     * is no longer {@link #current}. Symbolic links are refused, so that a directory that others may write to cannot make
     * a collector read elsewhere.
     */
    public static HeatRing open(Path file) {
        try {
            // Before opening: should the file be replaced in between, this one just looks outdated from the start.
            BasicFileAttributes attributes = attributes(file);
            if (!attributes.isRegularFile()) {
                throw new IOException(
                        file + " is " + (attributes.isSymbolicLink() ? "a symbolic link" : "not a regular file"));
            }
            return open(file, attributes.fileKey());
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("cannot open heat ring " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open heat ring " + file + ": " + e.getMessage(), e);
        }
    }

    private static HeatRing open(Path file, @Nullable Object key) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            return open(file, key, channel);
        }
    }

    private static HeatRing open(Path file, @Nullable Object key, FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < HEADER_BYTES || size > Integer.MAX_VALUE) {
            throw new IOException(file + " is no heat ring: it has " + size + " bytes");
        }
        MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_ONLY, 0, size);
        map.order(ByteOrder.LITTLE_ENDIAN);
        int abi = map.getInt(8);
        if (map.getLong(0) != MAGIC || (abi != ABI && abi != ABI_SENT)) {
            throw new IOException(file + " is no heat ring of version " + ABI + " or " + ABI_SENT + ": magic "
                    + Long.toHexString(map.getLong(0)) + ", version " + map.getInt(8));
        }
        int slotCount = map.getInt(12);
        long slotBytes = map.getLong(16);
        int ranks = map.getInt(52);
        int layers = map.getInt(56);
        int slotsPerRank = map.getInt(60);
        byte[] deployment = new byte[Math.min(200, map.getInt(68))];
        map.get(DEPLOYMENT, deployment);
        int rank = map.getInt(48);
        int firstRank = map.getInt(FIRST_RANK);
        int width = map.getInt(WIDTH);
        Load load = Load.values()[(map.getInt(FLAGS) >>> 1 & 3) % Load.values().length];
        long words = width * ((long) VOTE_WORDS + layers) + room(load, ranks, width, (long) layers * slotsPerRank);
        if (slotCount < 1
                || layers < 1
                || slotsPerRank < 1
                || firstRank < 0
                || rank < firstRank
                || rank - firstRank >= width
                || ranks - firstRank < width
                || (load == Load.ROUTED_TO) != (abi == ABI_SENT)
                || slotBytes < SLOT_HEAD_BYTES + words * Long.BYTES
                || size != HEADER_BYTES + slotCount * slotBytes) {
            throw new IOException(file + " contradicts itself: " + size + " bytes for " + slotCount + " slots of "
                    + slotBytes + " bytes with " + words + " words each, rank " + rank + " of " + ranks
                    + " in a width of " + width + " from " + firstRank);
        }
        Header header = new Header(
                new String(deployment, StandardCharsets.UTF_8),
                map.getLong(40),
                rank,
                ranks,
                layers,
                slotsPerRank,
                map.getInt(64),
                firstRank,
                width,
                load,
                (map.getInt(FLAGS) & 1) != 0,
                map.getLong(24),
                map.getLong(START_TICKS));
        return new HeatRing(file, key, map, header, slotCount, Math.toIntExact(slotBytes));
    }

    /** Words of all loads of a snapshot: what one rank sends to all takes as much as what all compute. */
    private static long room(Load load, int ranks, int width, long each) {
        return (load == Load.ROUTED_TO ? ranks : width) * each;
    }

    /** Whether a file that can be read begins as a heat ring does. */
    public static boolean isOne(Path file) {
        ByteBuffer head = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try {
            if (!attributes(file).isRegularFile()) {
                return false;
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                return channel.read(head, 0) == Long.BYTES && head.getLong(0) == MAGIC;
            }
        } catch (IOException e) {
            return false;
        }
    }

    private static BasicFileAttributes attributes(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    public Header header() {
        return header;
    }

    /**
     * Throws once somebody has cut the file short: what lies beyond its end can be neither read nor trusted. By its name, for an open
     * channel is closed when its thread is interrupted; what has lost its name can hardly be cut.
     */
    private void requireWhole() {
        long whole = HEADER_BYTES + (long) slotCount * slotBytes;
        try {
            BasicFileAttributes now = attributes(file);
            if (now.size() != whole && Objects.equals(key, now.fileKey())) {
                throw new IllegalStateException(
                        file + " was cut to " + now.size() + " of " + whole + " bytes under its readers: restart the "
                                + "engine of rank " + header.rank() + " of " + header.deployment()
                                + ", and find out who does that");
            }
        } catch (IOException e) {
            // Removed: the mapping keeps it.
        }
    }

    /** The oldest snapshot still in the ring that this reader has not yet seen. Never a torn one. */
    public Optional<Snapshot> poll() {
        return poll(header.firstRank(), header.firstRank() + header.width());
    }

    /** The same, of the ranks {@code [fromRank, toRank)} alone: of a large group's snapshot only what is wanted is read. */
    public Optional<Snapshot> poll(int fromRank, int toRank) {
        return poll(fromRank, toRank, new Buffers());
    }

    /** The same, with counters that stand in these arrays until they are given to another call. */
    public Optional<Snapshot> poll(int fromRank, int toRank, Buffers into) {
        int from = Math.max(0, fromRank - header.firstRank());
        int to = Math.min(header.width(), toRank - header.firstRank());
        if (from >= to) {
            throw new IllegalArgumentException("ranks " + fromRank + " to " + toRank + " are none of those in " + file
                    + ": it holds " + header.width() + " from " + header.firstRank());
        }
        requireWhole();
        long wanted = seen + 1;
        int overtaken = 0;
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
                // The oldest is the next to be overwritten: a reader that has lost that race leaves the writer more
                // room.
                wanted = Math.max(wanted + 1, found - slotCount + 1 + Math.min(overtaken, slotCount / 2));
            } else {
                Snapshot snapshot = read(at, wanted, from, to, into);
                if (snapshot != null) {
                    seen = wanted;
                    return Optional.of(snapshot);
                }
                overtaken++;
            }
        }
        throw new IllegalStateException("heat ring of " + header.deployment() + " rank " + header.rank()
                + ": a snapshot was never still while it was read " + ATTEMPTS + " times");
    }

    /** Which snapshot is the newest that can be read, without reading it; empty before the first. */
    public Optional<Newest> newest() {
        requireWhole();
        Newest newest = null;
        for (int slot = 0; slot < slotCount; slot++) {
            int at = HEADER_BYTES + slot * slotBytes;
            long lock = (long) LONG.getAcquire(map, at);
            long sequence = (long) LONG.getOpaque(map, at + 8);
            long step = (long) LONG.getOpaque(map, at + 16);
            boolean gathered = (long) LONG.getOpaque(map, at + 32) != 0;
            VarHandle.acquireFence();
            // One that is being written is not the newest yet; the one before it is.
            boolean still = (lock & 1) == 0 && (long) LONG.getOpaque(map, at) == lock;
            if (still && sequence > (newest == null ? 0 : newest.sequence())) {
                newest = new Newest(sequence, step, gathered);
            }
        }
        return Optional.ofNullable(newest);
    }

    private boolean published(long sequence) {
        int at = HEADER_BYTES + (int) ((sequence - 1) % slotCount) * slotBytes;
        return (long) LONG.getOpaque(map, at + 8) >= sequence;
    }

    /** Rows {@code [from, to)}. */
    private @Nullable Snapshot read(int at, long sequence, int from, int to, Buffers into) {
        long lock = (long) LONG.getAcquire(map, at);
        if ((lock & 1) != 0 || (long) LONG.getOpaque(map, at + 8) != sequence) {
            return null;
        }
        long step = (long) LONG.getOpaque(map, at + 16);
        long capturedNanos = (long) LONG.getOpaque(map, at + 24);
        boolean gathered = (long) LONG.getOpaque(map, at + 32) != 0;
        long resets = (long) LONG.getOpaque(map, at + 40);
        int ranks = to - from;
        int layers = header.layers();
        int next = at + SLOT_HEAD_BYTES;
        long[] votes = rows(next, from, VOTE_WORDS, new long[ranks * VOTE_WORDS]);
        next += header.width() * VOTE_WORDS * Long.BYTES;
        int slots = layers * header.slotsPerRank();
        int room = Math.toIntExact(room(header.load(), header.ranks(), header.width(), slots));
        boolean sent = header.load() == Load.ROUTED_TO && !gathered;
        long[] load = sent ? rows(next, 0, room, into.load(room)) : rows(next, from, slots, into.load(ranks * slots));
        next += room * Long.BYTES;
        long[] routed = rows(next, from, layers, into.routed(header.routedKnown() ? ranks * layers : 0));
        // All reads above come before the second look at the lock.
        VarHandle.acquireFence();
        if ((long) LONG.getOpaque(map, at) != lock) {
            return null;
        }
        Vote[] decoded = new Vote[ranks];
        boolean[] valid = new boolean[ranks];
        boolean[] mixed = new boolean[ranks];
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
            mixed[rank] = (bytes.get(vote + 21) & 2) != 0;
        }
        return new Snapshot(
                sequence,
                step,
                gathered,
                header.firstRank() + from,
                decoded,
                valid,
                load,
                routed,
                capturedNanos,
                mixed,
                sent,
                resets);
    }

    /** As plain memory: a word may be torn, but then the second look at the lock throws the snapshot away. */
    private long[] rows(int at, int from, int wordsPerRank, long[] into) {
        longs.get(at / Long.BYTES + from * wordsPerRank, into);
        return into;
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
        requireWhole();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            long lock = (long) LONG.getAcquire(map, STATE);
            long[] words = words(STATE + Long.BYTES, STATE_WORDS);
            VarHandle.acquireFence();
            if ((lock & 1) == 0 && (long) LONG.getOpaque(map, STATE) == lock) {
                return new RankState(
                        words[0],
                        (int) words[1],
                        (int) words[2],
                        RankPhase.of((int) words[3]),
                        (int) words[4],
                        words[5],
                        (int) words[6],
                        words[7] != 0,
                        words[8],
                        words[9],
                        (int) words[10],
                        words[11],
                        words[12] != 0,
                        (int) words[13],
                        (int) words[14] - 1);
            }
            Thread.onSpinWait();
        }
        throw new IllegalStateException("heat ring of " + header.deployment() + " rank " + header.rank()
                + ": its engine died while it wrote its state");
    }

    /**
     * What the steps of the ring's own rank had taken when it came to a boundary; empty before that, when it is long ago, and in a ring
     * of a library that does not say. A snapshot that has this rank's counters of that step, in this ring or another one's by a gather,
     * was published after it.
     */
    public Optional<StepClock> clock(long step) {
        requireWhole();
        int at = TIMES + (int) (step / header.boundarySteps() % TIMES_COUNT) * TIMES_BYTES;
        long[] words = locked(at, 3);
        return words.length > 0 && words[0] == step ? Optional.of(new StepClock(words[1], words[2])) : Optional.empty();
    }

    /** What the flip of a batch took on the ring's own rank; empty when it was not said, or is long ago. */
    public Optional<FlipTimes> flip(int epoch, int batch) {
        requireWhole();
        long[] words = locked(FLIPS + (batch - 1) % FLIPS_COUNT * FLIPS_BYTES, 5);
        return words.length > 0 && words[0] == epoch && words[1] == batch
                ? Optional.of(new FlipTimes(words[2], words[3], words[4]))
                : Optional.empty();
    }

    /** Words behind a seqlock; none where nothing was ever written, or a writer died while it did. */
    private long[] locked(int at, int count) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            long lock = (long) LONG.getAcquire(map, at);
            long[] words = words(at + Long.BYTES, count);
            VarHandle.acquireFence();
            if ((lock & 1) == 0 && (long) LONG.getOpaque(map, at) == lock) {
                return lock == 0 ? NOTHING : words;
            }
            Thread.onSpinWait();
        }
        return NOTHING;
    }

    /** {@code CLOCK_REALTIME} nanoseconds of the library's last sign of life (it writes one every 100 ms). */
    public long heartbeatNanos() {
        requireWhole();
        return (long) LONG.getAcquire(map, HEARTBEAT);
    }

    /** Whether the engine closed the ring in order. */
    public boolean closed() {
        requireWhole();
        return (int) INT.getAcquire(map, CLOSED) != 0;
    }

    /** Whether the path still names this very file: false once another engine has put its own there, or it is gone. */
    public boolean current() {
        try {
            return Objects.equals(key, attributes(file).fileKey());
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Whether the process that opened the ring may still run: one with its pid and its start time, and not a zombie. True also
     * where that cannot be known: when the engine is in another pid namespace (another container), where its pid means nothing
     * here, and when {@code /proc} shows no processes of other users. Then only {@link #heartbeatNanos} tells.
     */
    public boolean writerAlive() {
        requireWhole();
        long namespace = map.getLong(PID_NAMESPACE);
        if (header.startTicks() == 0 || namespace == 0 || namespace != Processes.namespace()) {
            return true;
        }
        return Processes.mayRun(header.pid(), header.startTicks());
    }

    /** Lets go of the file; its mapping ends when the garbage collector finds it unused. */
    @Override
    public void close() {
        // The JDK cannot unmap safely before 22, and a few megabytes of shared pages do no harm until then.
    }
}
