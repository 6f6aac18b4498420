package dev.plimsoll.device;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The file in which a node hands commands of the plan log to one rank's engine: single writer, single reader,
 * sequence numbers, a checksum per record.
 *
 * <p>The writer may die and another go on: {@link #lastPosition()} tells it where. A full mailbox refuses; nothing in it is
 * ever overwritten before it was read.
 */
public final class PlanMailbox implements AutoCloseable {
    private PlanMailbox() {}

    /** Opens the mailbox, creating the file (0640) with {@code capacityBytes} of room when it is not there. */
    public static PlanMailbox open(Path file, int capacityBytes) {
        throw new UnsupportedOperationException();
    }

    /**
     * Appends a record.
     *
     * @param position the record's offset in the plan log; must grow
     * @return false when there is no room now: try again later
     */
    public boolean write(long position, byte[] record) {
        throw new UnsupportedOperationException();
    }

    /** Takes the next record, empty when there is none; throws {@link DeviceException} when a checksum does not match. */
    public Optional<byte[]> read() {
        throw new UnsupportedOperationException();
    }

    /** Position of the last record written, -1 when there was none. */
    public long lastPosition() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
