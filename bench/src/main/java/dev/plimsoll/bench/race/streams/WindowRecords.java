package dev.plimsoll.bench.race.streams;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SubWindowSums;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/**
 * The records of a closed window in the shape of our topics ({@code LoadWindow} and {@code WindowSummary}, of today's versions), written field by
 * field with Avro's encoder. Threads: one.
 */
final class WindowRecords {
    private static final int LOAD_WINDOW = 170024;
    private static final int WINDOW_SUMMARY = 170050;
    private static final int COMPLETE = 1;
    private static final int GAP = 2;
    private static final int NOT_COMPARED = 0;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 16);
    private final BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
    private final DeploymentWindows of;
    private final Membership members;
    private final long[] load;
    private final SubWindowSums.Packer packer = new SubWindowSums.Packer();
    /** {@code [part][slot]} of one layer. */
    private final long[] parts;

    private final long[][] ofRank;
    private long accepted;

    WindowRecords(DeploymentWindows of) {
        this.of = of;
        this.members = of.members;
        this.load = new long[members.topology().ranks() * members.topology().slotsPerRank()];
        this.parts = new long[of.parts * load.length];
        this.ofRank = new long[members.shape().layers()][members.topology().ranks()];
    }

    /** The record of one layer; all layers come in turn, then the summary. */
    byte[] layer(WindowSums window, int layer) {
        int slots = members.topology().slotsPerRank();
        int ranks = window.ranks;
        for (int rank = 0; rank < ranks; rank++) {
            long sum = 0;
            for (int slot = 0; slot < slots; slot++) {
                long total = 0;
                for (int part = 0; part < window.parts; part++) {
                    long value = window.at(part, rank, layer * slots + slot);
                    parts[part * load.length + rank * slots + slot] = value;
                    total += value;
                }
                load[rank * slots + slot] = total;
                sum += total;
            }
            ofRank[layer][rank] = sum;
            accepted += sum;
        }
        try {
            begin(LOAD_WINDOW);
            encoder.writeString(members.deployment().id() + " window " + window.index + " layer " + layer);
            identity(window);
            steps(window);
            encoder.writeInt(layer);
            encoder.writeInt(0);
            state();
            encoder.writeInt(0);
            beginArray(load.length);
            for (long value : load) {
                encoder.startItem();
                encoder.writeLong(value);
            }
            encoder.writeArrayEnd();
            encoder.writeInt(window.parts);
            encoder.writeInt(0);
            encoder.writeInt(window.parts);
            beginArray(0);
            encoder.writeArrayEnd();
            encoder.writeBytes(packed(packer.pack(LongVector.of(load), window.parts, parts, 0, load.length)));
            return end();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ByteBuffer packed(SubWindowSums sums) {
        ByteBuffer bytes = ByteBuffer.allocate(sums.packedBytes());
        sums.copyTo(bytes);
        return bytes.flip();
    }

    byte[] summary(WindowSums window, int partition, long offset, long timestamp) {
        try {
            int expected = members.boundariesPerWindow();
            double completeness = (double) window.boundaries() / ((double) expected * window.ranks);
            begin(WINDOW_SUMMARY);
            encoder.writeString(
                    members.deployment().id() + " window " + window.index + " completeness " + completeness);
            identity(window);
            encoder.writeLong(window.index - 1);
            steps(window);
            encoder.writeEnum(completeness < 1 ? GAP : COMPLETE);
            encoder.writeDouble(completeness);
            encoder.writeInt(expected);
            beginArray(window.ranks);
            for (long bits : window.present) {
                encoder.startItem();
                encoder.writeLong(Long.bitCount(bits));
            }
            encoder.writeArrayEnd();
            balance();
            beginArray(1);
            encoder.startItem();
            state();
            encoder.writeArrayEnd();
            encoder.writeLong(0);
            encoder.writeBoolean(true);
            encoder.writeLong(accepted);
            encoder.writeLong(0);
            encoder.writeLong(of.late);
            encoder.writeLong(0);
            encoder.writeLong(0);
            encoder.writeLong(0);
            encoder.writeInt(partition);
            encoder.writeLong(offset);
            encoder.writeLong(timestamp);
            encoder.writeIndex(0); // this contestant times no steps
            encoder.writeEnum(NOT_COMPARED);
            beginArray(0);
            encoder.writeArrayEnd();
            accepted = 0;
            of.late = 0;
            return end();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void balance() throws IOException {
        double sum = 0;
        double min = Double.MAX_VALUE;
        int worst = -1;
        int layers = 0;
        for (int layer = 0; layer < ofRank.length; layer++) {
            long most = 0;
            long total = 0;
            for (long value : ofRank[layer]) {
                most = Math.max(most, value);
                total += value;
            }
            if (most > 0) {
                double balance = (double) total / ofRank[layer].length / most;
                layers++;
                sum += balance;
                if (balance < min) {
                    min = balance;
                    worst = layer;
                }
            }
        }
        encoder.writeDouble(layers == 0 ? Double.NaN : sum / layers);
        encoder.writeDouble(layers == 0 ? Double.NaN : min);
        encoder.writeInt(worst);
        encoder.writeInt(layers);
    }

    private void begin(int schema) {
        out.reset();
        out.write(0);
        out.write(schema >>> 24);
        out.write(schema >>> 16);
        out.write(schema >>> 8);
        out.write(schema);
    }

    private void identity(WindowSums window) throws IOException {
        encoder.writeString(members.deployment().id());
        encoder.writeLong(members.incarnation());
        encoder.writeEnum(members.phase().ordinal() + 1);
        encoder.writeLong(window.index);
    }

    private void steps(WindowSums window) throws IOException {
        encoder.writeLong(window.index * members.windowSteps());
        encoder.writeLong(of.end(window.index));
    }

    private void state() throws IOException {
        encoder.writeInt(0);
        encoder.writeInt(0);
        encoder.writeInt(0);
    }

    private void beginArray(long items) throws IOException {
        encoder.writeArrayStart();
        encoder.setItemCount(items);
    }

    private byte[] end() throws IOException {
        encoder.flush();
        return out.toByteArray();
    }
}
