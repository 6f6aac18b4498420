package dev.plimsoll.collector;

import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * {@code collector-N.counts} beside the rings of incarnation N: up to where samples of this node's ranks were made, so that a
 * collector that is started again, or another one that takes over, goes on there: nothing is said twice, and nothing is left out.
 *
 * <p>Replaced whole by rename, before the samples are sent: what dies with a collector that is killed is what was under way.
 */
final class CountsFile {
    private static final long MAGIC = 0x3330544e434d4c50L; // "PLMCNT03", read backwards
    /** Of a release that knew nothing of tokens sent, nor of mixed steps. */
    private static final long COMPUTED = 0x3230544e434d4c50L;

    /** Of a release that knew nothing of time. */
    private static final long UNTIMED = 0x3130544e434d4c50L;

    private static final int HEAD_BYTES = 2 * Long.BYTES + 3 * Integer.BYTES + 1;
    /** Of a rank, beside its counters: its number, seven longs, two states, five flags. */
    private static final int RANK_BYTES = Integer.BYTES + 7 * Long.BYTES + 2 * 3 * Integer.BYTES + 5;

    private static final int CHECKSUM_BYTES = Long.BYTES;

    /**
     * What a collector leaves behind.
     *
     * @param whole whether no sample was ever made of a rank that is not in {@code ranks}
     */
    record Kept(boolean whole, List<RankCounts> ranks) {}

    private final Path file;
    private final Membership members;
    private ByteBuffer buffer = ByteBuffer.allocate(0);

    CountsFile(Path directory, Membership members) {
        this.file = directory.resolve("collector-" + members.incarnation() + ".counts");
        this.members = members;
    }

    /**
     * What the collector before this one has left; empty when there was none in this incarnation.
     *
     * @throws IllegalStateException where the file is not one, or not of this membership
     */
    Optional<Kept> read() {
        try {
            byte[] bytes = Files.readAllBytes(file);
            if (bytes.length < CHECKSUM_BYTES
                    || ByteBuffer.wrap(bytes, bytes.length - CHECKSUM_BYTES, CHECKSUM_BYTES)
                                    .getLong()
                            != checksum(bytes, bytes.length - CHECKSUM_BYTES)) {
                throw new IllegalStateException(
                        file + " is damaged: its " + bytes.length + " bytes have another checksum");
            }
            return Optional.of(parse(new DataInputStream(new ByteArrayInputStream(bytes))));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + file, e);
        }
    }

    void write(Kept kept) {
        Path fresh = file.resolveSibling(file.getFileName() + ".tmp");
        ByteBuffer out = cleared(bytes(kept));
        out.putLong(MAGIC).putLong(members.incarnation());
        out.putInt(cells()).putInt(members.shape().layers());
        put(out, kept.whole());
        out.putInt(kept.ranks().size());
        for (RankCounts rank : kept.ranks()) {
            put(out, rank);
        }
        out.putLong(checksum(out.array(), out.position()));
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            out.flip();
            while (out.hasRemaining()) {
                channel.write(out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + fresh, e);
        }
        try {
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /** At most: as if each rank had all that it can have. */
    private int bytes(Kept kept) {
        long rank = RANK_BYTES + (long) Long.BYTES * members.shape().layers();
        for (RankCounts counts : kept.ranks()) {
            rank = Math.max(
                    rank,
                    RANK_BYTES
                            + (long) Long.BYTES
                                    * (counts.load().length + members.shape().layers()));
        }
        return Math.toIntExact(HEAD_BYTES + kept.ranks().size() * rank + CHECKSUM_BYTES);
    }

    /** Kept from one time to the next, as this is written with each sample. */
    private ByteBuffer cleared(int most) {
        buffer = buffer.capacity() < most ? ByteBuffer.allocate(most) : buffer.clear();
        return buffer;
    }

    /**
     * Makes what stands there of no use, as samples beyond it are sent: a successor begins under way in place of telling them again.
     * Needs no room, which may be what a {@link #write} has failed for.
     */
    void spoil() {
        try {
            Files.newByteChannel(file, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)
                    .close();
        } catch (NoSuchFileException e) {
            // Nothing stands there that could mislead a successor.
        } catch (IOException e) {
            throw new UncheckedIOException("cannot empty " + file, e);
        }
    }

    /** Whether a collector of the first release served this incarnation: it kept no counts, but left a mark. */
    boolean servedByFirstRelease() {
        return Files.exists(file.resolveSibling("collector-" + members.incarnation() + ".started"));
    }

    /** Removes what earlier incarnations have left. */
    void removeOthers() {
        try (Stream<Path> entries = Files.list(file.resolveSibling("."))) {
            for (Path entry : entries.toList()) {
                String name = entry.getFileName().toString();
                if (name.matches("collector-\\d+\\.counts(\\.tmp)?")
                        && !name.startsWith(file.getFileName().toString())) {
                    Files.deleteIfExists(entry);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot tidy up beside " + file, e);
        }
    }

    private int cells() {
        return members.shape().layers() * members.topology().slotsPerRank();
    }

    private Kept parse(DataInputStream in) throws IOException {
        long magic = in.readLong();
        boolean newest = magic == MAGIC;
        boolean timed = newest || magic == COMPUTED;
        boolean fits = (timed || magic == UNTIMED) && in.readLong() == members.incarnation() && in.readInt() == cells();
        if (!fits || in.readInt() != members.shape().layers()) {
            throw new IllegalStateException(file + " is not of " + members.deployment() + ", incarnation "
                    + members.incarnation() + ", " + members.shape().layers() + " layers × "
                    + members.topology().slotsPerRank() + " slots");
        }
        boolean whole = in.readBoolean();
        List<RankCounts> counts = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
            counts.add(counts(in, newest, timed));
        }
        return new Kept(whole, counts);
    }

    private RankCounts counts(DataInputStream in, boolean newest, boolean timed) throws IOException {
        int rank = in.readInt();
        Ring.Writer writer = new Ring.Writer(in.readLong(), in.readLong());
        long step = in.readLong();
        long covered = in.readLong();
        PlacementState state = state(in);
        Optional<PlacementState> next = in.readBoolean() ? Optional.of(state(in)) : Optional.empty();
        Optional<StepClock> clock =
                timed && in.readBoolean() ? Optional.of(new StepClock(in.readLong(), in.readLong())) : Optional.empty();
        boolean mixed = newest && in.readBoolean();
        boolean sent = newest && in.readBoolean();
        long resets = newest ? in.readLong() : 0;
        long[] load = longs(in, sent ? cells() * members.topology().ranks() : cells());
        long[] routed = longs(in, in.readBoolean() ? members.shape().layers() : 0);
        return new RankCounts(rank, writer, step, covered, state, next, clock, mixed, sent, resets, load, routed);
    }

    private static void put(ByteBuffer out, RankCounts counts) {
        out.putInt(counts.rank());
        out.putLong(counts.writer().pid()).putLong(counts.writer().startTicks());
        out.putLong(counts.step()).putLong(counts.covered());
        put(out, counts.state());
        put(out, counts.next().isPresent());
        if (counts.next().isPresent()) {
            put(out, counts.next().get());
        }
        put(out, counts.clock().isPresent());
        counts.clock().ifPresent(clock -> out.putLong(clock.busyNanos()).putLong(clock.idleNanos()));
        put(out, counts.mixed());
        put(out, counts.sent());
        out.putLong(counts.resets());
        put(out, counts.load());
        put(out, counts.routed().length > 0);
        put(out, counts.routed());
    }

    private static void put(ByteBuffer out, PlacementState state) {
        out.putInt(state.settledVersion()).putInt(state.epoch()).putInt(state.batchesFlipped());
    }

    private static void put(ByteBuffer out, boolean flag) {
        out.put((byte) (flag ? 1 : 0));
    }

    private static void put(ByteBuffer out, long[] values) {
        out.asLongBuffer().put(values);
        out.position(out.position() + values.length * Long.BYTES);
    }

    private static PlacementState state(DataInputStream in) throws IOException {
        return new PlacementState(in.readInt(), in.readInt(), in.readInt());
    }

    private static long[] longs(DataInputStream in, int count) throws IOException {
        byte[] bytes = in.readNBytes(count * Long.BYTES);
        long[] values = new long[count];
        ByteBuffer.wrap(bytes).asLongBuffer().get(values);
        return values;
    }

    private static long checksum(byte[] bytes, int length) {
        CRC32 sum = new CRC32();
        sum.update(bytes, 0, length);
        return sum.getValue();
    }
}
