package dev.plimsoll.device;

import java.time.Duration;

/** A queue of device work that runs in order. Submits never block. */
public final class Stream implements AutoCloseable {
    private Stream() {}

    /** The stream's handle, as the C ABI takes it. */
    public long handle() {
        throw new UnsupportedOperationException();
    }

    /** Enqueues a kernel; host back end only. It runs on the stream's thread; what it throws fails {@link #synchronize}. */
    public void launch(Runnable kernel) {
        throw new UnsupportedOperationException();
    }

    /** Enqueues a copy between device addresses. */
    public void copy(long destination, long source, long bytes) {
        throw new UnsupportedOperationException();
    }

    /** Waits until all that was submitted has run. */
    public void synchronize(Duration timeout) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
