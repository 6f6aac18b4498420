package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** An order read back as an engine reads it: by the layout that plimsoll.h documents, and by nothing of ours. */
record ReadOrder(
        int kind,
        int flags,
        long incarnation,
        long term,
        long number,
        int epoch,
        int basedOn,
        long planHash,
        int batchCount,
        int refusal,
        List<Part> parts) {

    record Part(List<Transfer> sends, List<Transfer> receives, List<Change> changes) {}

    record Transfer(int layer, int localSlot, int peer, int tag) {}

    record Change(int layer, int slot, int expert, int inUse) {}

    static ReadOrder of(byte[] record) {
        ByteBuffer bytes = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(bytes.getInt()).as("size").isEqualTo(record.length);
        int kind = bytes.getShort();
        int flags = bytes.getShort();
        long incarnation = bytes.getLong();
        long term = bytes.getLong();
        long number = bytes.getLong();
        int epoch = bytes.getInt();
        int basedOn = bytes.getInt();
        long planHash = bytes.getLong();
        int batches = bytes.getInt();
        int refusal = bytes.getInt();
        List<Part> parts = new ArrayList<>();
        for (int i = 0; kind == 1 && refusal < 0 && i < batches; i++) {
            int sends = bytes.getInt();
            int receives = bytes.getInt();
            int changes = bytes.getInt();
            assertThat(bytes.getInt()).as("reserved").isZero();
            parts.add(new Part(transfers(bytes, sends), transfers(bytes, receives), changes(bytes, changes)));
        }
        assertThat(bytes.remaining()).as("bytes that nothing claims").isZero();
        return new ReadOrder(kind, flags, incarnation, term, number, epoch, basedOn, planHash, batches, refusal, parts);
    }

    private static List<Transfer> transfers(ByteBuffer bytes, int count) {
        List<Transfer> read = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            read.add(new Transfer(bytes.getInt(), bytes.getInt(), bytes.getInt(), bytes.getInt()));
        }
        return read;
    }

    private static List<Change> changes(ByteBuffer bytes, int count) {
        List<Change> read = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            read.add(new Change(bytes.getInt(), bytes.getInt(), bytes.getInt(), bytes.getInt()));
        }
        return read;
    }
}
