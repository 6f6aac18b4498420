package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;

/**
 * The file in which a node hands orders to one rank's engine ({@code plm_order}): single writer, single reader, sequence numbers, a
 * checksum per record.
 *
 * <p>The writer may die and another go on: {@link #lastPosition()} tells it where. A full mailbox refuses; nothing in it is
 * ever overwritten before it was read. Which end an object is shows in its first {@link #write} or {@link #read}; a second
 * writer or reader is refused while the first lives. A damaged mailbox stays damaged: nothing is skipped, since what comes
 * after a lost order must not be carried out.
 */
public final class PlanMailbox implements AutoCloseable {
    private final long handle;
    private BytePointer buffer = new BytePointer(4096);
    private boolean closed;

    private PlanMailbox(long handle) {
        this.handle = handle;
    }

    /** Opens the mailbox, creating the file (0640) with {@code capacityBytes} of room (a multiple of 8) when it is not there. */
    public static PlanMailbox open(Path file, int capacityBytes) {
        Native.load();
        long[] mailbox = new long[1];
        Native.check(PlimsollApi.plm_mailbox_open(file.toString(), capacityBytes, mailbox));
        return new PlanMailbox(mailbox[0]);
    }

    /**
     * Appends a record.
     *
     * @param position tells a successor of the writer where to go on; must grow
     * @return false when there is no room now: try again later
     */
    public synchronized boolean write(long position, byte[] record) {
        try (BytePointer bytes = new BytePointer(record)) {
            return Native.check(PlimsollApi.plm_mailbox_write(handle, position, bytes, record.length)) != Native.BUSY;
        }
    }

    /** Takes the next record, empty when there is none; throws {@link DeviceException} when a checksum does not match. */
    public synchronized Optional<byte[]> read() {
        int[] bytes = new int[1];
        long[] position = new long[1];
        while (true) {
            int status = Native.check(
                    PlimsollApi.plm_mailbox_read(handle, buffer, (int) buffer.capacity(), bytes, position));
            if (status == Native.PENDING) {
                return Optional.empty();
            }
            if (status == Native.OK) {
                byte[] record = new byte[bytes[0]];
                buffer.position(0).get(record);
                return Optional.of(record);
            }
            buffer.close();
            buffer = new BytePointer(bytes[0]);
        }
    }

    long handle() {
        return handle;
    }

    /** Position of the last record written, -1 when there was none. */
    public long lastPosition() {
        long[] position = new long[1];
        Native.check(PlimsollApi.plm_mailbox_last_position(handle, position));
        return position[0];
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            Native.check(PlimsollApi.plm_mailbox_close(handle));
            buffer.close();
            closed = true;
        }
    }
}
