package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A block of device memory, freed by its owner and by nobody else (never by the garbage collector). */
public final class DeviceMemory implements AutoCloseable {
    private final long device;
    private final long address;
    private final long bytes;
    private boolean closed;

    DeviceMemory(long device, long address, long bytes) {
        this.device = device;
        this.address = address;
        this.bytes = bytes;
    }

    /** The device address, as the C ABI takes it. */
    public long address() {
        return address;
    }

    public long bytes() {
        return bytes;
    }

    /** A little-endian view of the whole block; host back end only, must not be used after {@link #close()}. */
    public ByteBuffer buffer() {
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalStateException(
                    "a block of " + bytes + " bytes is too large for one buffer: use views of parts of it");
        }
        return buffer(0, (int) bytes);
    }

    /** A little-endian view of a part of the block; host back end only, must not be used after {@link #close()}. */
    public ByteBuffer buffer(long offset, int length) {
        if (offset < 0 || length < 0 || offset > bytes - length) {
            throw new IllegalArgumentException(
                    length + " bytes from " + offset + " on are not within a block of " + bytes + " bytes");
        }
        return Native.borrowed(address + offset, length).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            Native.check(PlimsollApi.plm_free(device, address));
            closed = true;
        }
    }
}
