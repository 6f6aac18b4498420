package dev.plimsoll.device;

import java.time.Duration;

/**
 * One open back end in this process: where streams, memory and rings come from.
 *
 * <p>Any thread may call it. Everything made from a device must be closed before it.
 */
public final class Device implements AutoCloseable {
    private Device() {}

    /** Opens a back end: {@code host} is always there. */
    public static Device open(String backend) {
        throw new UnsupportedOperationException();
    }

    /** A new stream; on the host back end a thread that runs what is submitted in order. */
    public Stream stream(String name) {
        throw new UnsupportedOperationException();
    }

    /** Device memory, zeroed, 64-byte aligned. */
    public DeviceMemory allocate(long bytes) {
        throw new UnsupportedOperationException();
    }

    /** Closes the back end; refuses while anything made from it is open past the timeout. */
    public void close(Duration timeout) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        close(Duration.ofSeconds(5));
    }
}
