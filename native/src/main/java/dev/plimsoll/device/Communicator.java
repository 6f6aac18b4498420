package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.device.api.plm_comm_opts;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * The members of a group that gather and exchange weights over the host: by shared memory on one machine, by TCP between
 * machines, or by both where several are on each.
 */
public final class Communicator implements AutoCloseable {
    private final long handle;
    private final int size;
    private boolean closed;

    private Communicator(long handle, int size) {
        this.handle = handle;
        this.size = size;
    }

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
        return open(device, segment, group, size, rank, gatherBytes, stagingBytes, 0, timeout);
    }

    /**
     * As the other one, with a limit.
     *
     * @param bytesPerSecond what this member sends in transfers at most; 0: no limit
     */
    public static Communicator open(
            Device device,
            Path segment,
            long group,
            int size,
            int rank,
            long gatherBytes,
            long stagingBytes,
            long bytesPerSecond,
            Duration timeout) {
        try (BytePointer path = Native.utf8(segment.toString())) {
            return open(
                    device,
                    size,
                    rank,
                    gatherBytes,
                    stagingBytes,
                    timeout,
                    opts -> opts.transport(PlimsollApi.PLM_TRANSPORT_NODE)
                            .group(group)
                            .bytes_per_second(bytesPerSecond)
                            .endpoint(path));
        }
    }

    /**
     * Joins a group whose members may be on several machines, and waits for nobody. Members prove to each other that they
     * know the secret; what they send is authenticated, not hidden.
     *
     * @param address {@code host:port} where rank 0 listens
     * @param secretFile file with the secret that all members share, 16 to 4096 bytes
     * @param group identifies one life of the group: members of another are refused
     * @param size number of members, 1..1024
     * @param rank this member, 0..size-1
     * @param gatherBytes largest contribution of one member to a gather
     * @param stagingBytes what one member can receive in one {@link Transfer}
     * @param timeout how long others are waited for
     */
    public static Communicator overTcp(
            Device device,
            String address,
            Path secretFile,
            long group,
            int size,
            int rank,
            long gatherBytes,
            long stagingBytes,
            Duration timeout) {
        try (BytePointer where = Native.utf8(address);
                BytePointer secret = Native.utf8(secretFile.toString())) {
            return open(
                    device,
                    size,
                    rank,
                    gatherBytes,
                    stagingBytes,
                    timeout,
                    opts -> opts.transport(PlimsollApi.PLM_TRANSPORT_TCP)
                            .group(group)
                            .endpoint(where)
                            .secret_file(secret));
        }
    }

    /**
     * Joins a group of several nodes, and waits for nobody: by shared memory within a node, by TCP between nodes. The lowest rank of
     * a node, its leader, carries the gathers of all its members; weights pass between two members directly.
     *
     * @param address {@code host:port} where rank 0 listens
     * @param secretFile file with the secret that all members share, 16 to 4096 bytes
     * @param segment shared-memory file of this node's members, and of no others
     * @param nodeOfRank of each member, equal on all of them
     * @param group identifies one life of the group: members of another are refused
     * @param rank this member
     * @param gatherBytes largest contribution of one member to a gather
     * @param stagingBytes what one member can receive in one {@link Transfer}, from its node and again from others
     * @param bytesPerSecond what this member sends in transfers at most; 0: no limit
     * @param timeout how long others are waited for
     */
    public static Communicator overNodes(
            Device device,
            String address,
            Path secretFile,
            Path segment,
            List<Integer> nodeOfRank,
            long group,
            int rank,
            long gatherBytes,
            long stagingBytes,
            long bytesPerSecond,
            Duration timeout) {
        int[] nodes = nodeOfRank.stream().mapToInt(Integer::intValue).toArray();
        try (BytePointer where = Native.utf8(address);
                BytePointer secret = Native.utf8(secretFile.toString());
                BytePointer path = Native.utf8(segment.toString());
                IntPointer node = new IntPointer(nodes)) {
            return open(
                    device,
                    nodes.length,
                    rank,
                    gatherBytes,
                    stagingBytes,
                    timeout,
                    opts -> opts.transport(PlimsollApi.PLM_TRANSPORT_NODES)
                            .group(group)
                            .bytes_per_second(bytesPerSecond)
                            .endpoint(where)
                            .secret_file(secret)
                            .node_of_rank(node)
                            .segment(path));
        }
    }

    private static Communicator open(
            Device device,
            int size,
            int rank,
            long gatherBytes,
            long stagingBytes,
            Duration timeout,
            Consumer<plm_comm_opts> transport) {
        long[] comm = new long[1];
        try (plm_comm_opts opts = new plm_comm_opts()) {
            opts.zero();
            opts.size(opts.sizeof());
            opts.members(size);
            opts.rank(rank);
            opts.gather_bytes(gatherBytes);
            opts.staging_bytes(stagingBytes);
            opts.timeout_ms(Native.millis(timeout));
            transport.accept(opts);
            Native.check(PlimsollApi.plm_comm_open(device.handle(), opts, comm));
        }
        return new Communicator(comm[0], size);
    }

    /**
     * All-gather of host memory, on the caller's thread: for the engine's own lock step, never used by a ring.
     *
     * <p>A gather that fails (a member did not come in time, or gave another number of bytes) is the communicator's last.
     *
     * @param in this member's contribution, {@code n} bytes remaining; direct
     * @param out room for {@code size × n} bytes; direct
     */
    public void allGather(ByteBuffer in, ByteBuffer out, Duration timeout) {
        int bytes = in.remaining();
        if (!in.isDirect() || !out.isDirect() || out.isReadOnly() || out.remaining() < (long) size * bytes) {
            throw new IllegalArgumentException("allGather needs direct buffers with room for " + size + " × " + bytes
                    + " bytes; in=" + in + " out=" + out);
        }
        // Pointer(Buffer) starts at the buffer's position and owns nothing.
        try (Pointer from = new Pointer(in);
                Pointer to = new Pointer(out)) {
            Native.check(PlimsollApi.plm_gather(handle, from, to, bytes, Native.millis(timeout)));
        }
    }

    /**
     * A new exchange of weights.
     *
     * @param id not 0, equal on all members and never used twice in a group; all members submit exchanges in one order
     */
    public Transfer transfer(long id) {
        return transfer(id, 0);
    }

    /**
     * A new exchange of weights.
     *
     * @param id not 0, equal on all members and never used twice in a group; all members submit exchanges in one order
     * @param manifest hash of names, types and shapes of an expert's tensors: members with another refuse the exchange
     */
    public Transfer transfer(long id, long manifest) {
        long[] xfer = new long[1];
        Native.check(PlimsollApi.plm_xfer_begin(handle, id, manifest, xfer));
        return new Transfer(xfer[0]);
    }

    /** Makes every wait of this member fail at once. */
    public void abort() {
        Native.check(PlimsollApi.plm_comm_abort(handle));
    }

    /** Waits up to 5 s for exchanges under way, then ends all waits and leaves the group; the file is left to its owner. */
    @Override
    public synchronized void close() {
        if (!closed) {
            Native.check(PlimsollApi.plm_comm_close(handle, 5000));
            closed = true;
        }
    }

    long handle() {
        return handle;
    }
}
