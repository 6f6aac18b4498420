package dev.plimsoll.device;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The members of a group that gather and exchange weights over shared memory (host transport), in one process or in
 * several on one machine.
 */
public final class Communicator implements AutoCloseable {
    private Communicator() {}

    /**
     * Joins a group and waits for nobody: members may come in any order.
     *
     * @param segment the group's shared-memory file; the first member creates it, the sizes must agree
     * @param group identifies one life of the group: a segment left over from another group is replaced
     * @param size number of members, 1..1024
     * @param rank this member, 0..size-1
     * @param gatherBytes largest contribution of one member to a gather
     * @param stagingBytes what one member can receive in one {@link Transfer}
     * @param timeout how long a gather carried out on the library's thread waits for the others
     */
    public static Communicator open(
            Device device,
            Path segment,
            long group,
            int size,
            int rank,
            long gatherBytes,
            long stagingBytes,
            Duration timeout) {
        throw new UnsupportedOperationException();
    }

    /**
     * All-gather of host memory, on the caller's thread: for the engine's own lock step, never used by a ring.
     *
     * @param in this member's contribution, {@code n} bytes remaining; direct
     * @param out room for {@code size × n} bytes; direct
     */
    public void allGather(ByteBuffer in, ByteBuffer out, Duration timeout) {
        throw new UnsupportedOperationException();
    }

    /** A new exchange of weights; {@code id} must be equal on all members and never used twice in a group. */
    public Transfer transfer(long id) {
        throw new UnsupportedOperationException();
    }

    /** Makes every wait of this member fail at once. */
    public void abort() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
