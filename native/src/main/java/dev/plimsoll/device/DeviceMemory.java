package dev.plimsoll.device;

import java.nio.ByteBuffer;

/** A block of device memory, freed by its owner and by nobody else (never by the garbage collector). */
public final class DeviceMemory implements AutoCloseable {
    private DeviceMemory() {}

    /** The device address, as the C ABI takes it. */
    public long address() {
        throw new UnsupportedOperationException();
    }

    public long bytes() {
        throw new UnsupportedOperationException();
    }

    /** A little-endian view of the whole block; host back end only, must not be used after {@link #close()}. */
    public ByteBuffer buffer() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
