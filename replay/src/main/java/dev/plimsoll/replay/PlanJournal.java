package dev.plimsoll.replay;

import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import java.util.zip.CRC32;

/**
 * A policy whose plans are kept in a file, so that a replay that was interrupted goes on where it was: what was planned is read, and
 * only what was not is planned. Everything else of a replay is done again, which takes a small part of the time.
 *
 * <p>The file has a frame for each request, in order: {@code length, CRC-32} and then the newest window's index, the number of windows,
 * and of every layer the slots that get another expert, and those that are switched. A frame that is cut or wrong ends what is read; the file goes on from there.
 * Reasons of layers are not kept.
 */
final class PlanJournal implements Policy, AutoCloseable {
    private static final int LONGEST_FRAME = 64 << 20;
    /** Written in place of an expert: the slot falls idle, or comes into use. */
    private static final int SWITCHED = 0xffff;
    /** Slots and experts are written as two bytes; plans of more are not kept, and made again. */
    private static final int MOST_SLOTS = SWITCHED;

    private final Policy policy;
    private final RandomAccessFile file;
    private final DataInputStream in;
    private Optional<Frame> next;
    private long readTo;
    private Optional<Pending> current = Optional.empty();

    /** A request and, by layer, its plans. */
    private record Frame(long newest, int windows, int[][] changes) {
        boolean answers(PlanRequest request) {
            return newest == request.newest().windowIndex()
                    && windows == request.windows().size()
                    && changes.length == request.shape().layers();
        }
    }

    /** A request of which layers are being planned. */
    private record Pending(PlanRequest request, Optional<Frame> known, AtomicReferenceArray<int[]> changes) {}

    private PlanJournal(Policy policy, RandomAccessFile file) throws IOException {
        this.policy = policy;
        this.file = file;
        this.in = new DataInputStream(new BufferedInputStream(Channels.newInputStream(file.getChannel())));
        this.next = read();
    }

    /** Goes on with the file, or begins it. */
    static PlanJournal open(Policy policy, Path path) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
        try {
            return new PlanJournal(policy, file);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public String name() {
        return policy.name();
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        Pending pending = pending(request);
        if (pending.known().isPresent()) {
            return plan(request.settled(), layer, pending.known().orElseThrow().changes()[layer]);
        }
        LayerPlan plan = policy.plan(request, layer);
        done(pending, layer, changes(request.settled(), layer, plan));
        return plan;
    }

    private static LayerPlan plan(Placement settled, int layer, int[] changes) {
        int[] experts = settled.layer(layer);
        BitSet idle = settled.idle(layer);
        for (int i = 0; i < changes.length; i += 2) {
            if (changes[i + 1] == SWITCHED) {
                idle.flip(changes[i]);
            } else {
                experts[changes[i]] = changes[i + 1];
                idle.clear(changes[i]);
            }
        }
        return new LayerPlan(experts, idle, Optional.empty());
    }

    /** Slot and expert by turns; a slot that is moved comes into use. */
    private static int[] changes(Placement settled, int layer, LayerPlan plan) {
        int[] before = settled.layer(layer);
        int[] after = plan.expertOfSlot();
        IntStream.Builder changes = IntStream.builder();
        for (int slot = 0; slot < after.length; slot++) {
            boolean moved = after[slot] != before[slot];
            if (moved) {
                changes.add(slot).add(after[slot]);
            }
            if (plan.idle().get(slot) != (!moved && settled.idle(layer, slot))) {
                changes.add(slot).add(SWITCHED);
            }
        }
        return changes.build().toArray();
    }

    private synchronized Pending pending(PlanRequest request) {
        if (current.filter(of -> of.request() == request).isEmpty()) {
            Optional<Frame> known = next.filter(frame -> frame.answers(request));
            if (known.isPresent()) {
                next = readNext();
            }
            current = Optional.of(new Pending(
                    request, known, new AtomicReferenceArray<>(request.shape().layers())));
        }
        return current.orElseThrow();
    }

    private synchronized void done(Pending pending, int layer, int[] changes) {
        pending.changes().set(layer, changes);
        int[][] all = new int[pending.changes().length()][];
        for (int i = 0; i < all.length; i++) {
            all[i] = pending.changes().get(i);
            if (all[i] == null) {
                return;
            }
        }
        // A frame that does not answer what is asked stays: a policy that failed then fails again, and planned nothing.
        if (next.isEmpty() && pending.request().topology().slots() <= MOST_SLOTS) {
            write(new Frame(
                    pending.request().newest().windowIndex(),
                    pending.request().windows().size(),
                    all));
        }
    }

    private Optional<Frame> readNext() {
        try {
            return read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<Frame> read() throws IOException {
        try {
            int length = in.readInt();
            int crc = in.readInt();
            if (length < 0 || length > LONGEST_FRAME) {
                return end();
            }
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length || crc(bytes) != crc) {
                return end();
            }
            readTo += 2 * Integer.BYTES + length;
            return Optional.of(frame(ByteBuffer.wrap(bytes)));
        } catch (EOFException e) {
            return end();
        }
    }

    /** From here on frames are written. */
    private Optional<Frame> end() throws IOException {
        file.setLength(readTo);
        file.seek(readTo);
        return Optional.empty();
    }

    private static Frame frame(ByteBuffer bytes) {
        long newest = bytes.getLong();
        int windows = bytes.getInt();
        int[][] changes = new int[bytes.getInt()][];
        for (int layer = 0; layer < changes.length; layer++) {
            changes[layer] = new int[bytes.getInt()];
            for (int i = 0; i < changes[layer].length; i++) {
                changes[layer][i] = Short.toUnsignedInt(bytes.getShort());
            }
        }
        return new Frame(newest, windows, changes);
    }

    private void write(Frame frame) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeLong(frame.newest());
            out.writeInt(frame.windows());
            out.writeInt(frame.changes().length);
            for (int[] layer : frame.changes()) {
                out.writeInt(layer.length);
                for (int value : layer) {
                    out.writeShort(value);
                }
            }
            byte[] written = bytes.toByteArray();
            ByteBuffer whole = ByteBuffer.allocate(2 * Integer.BYTES + written.length)
                    .putInt(written.length)
                    .putInt(crc(written))
                    .put(written);
            file.write(whole.array());
        } catch (IOException e) {
            throw new UncheckedIOException("what was planned cannot be kept for an interruption", e);
        }
    }

    private static int crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
