package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.device.api.plm_kernel_fn;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A queue of device work that runs in order. Submits never block. */
public final class Stream implements AutoCloseable {
    private static final ConcurrentHashMap<Long, Kernel> WAITING = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT = new AtomicLong();

    /**
     * The one C function behind all kernels. JavaCPP holds such objects weakly and has room for ten of a class, so this
     * one lives as long as the class, and a number tells the kernels apart.
     */
    private static final plm_kernel_fn DISPATCHER = new Dispatcher();

    private final long handle;
    private final String name;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private boolean closed;

    Stream(long handle, String name) {
        this.handle = handle;
        this.name = name;
    }

    /** The stream's handle, as the C ABI takes it. */
    public long handle() {
        return handle;
    }

    /** Enqueues a kernel; host back end only. It runs on the stream's thread; what it throws fails {@link #synchronize}. */
    public void launch(Runnable kernel) {
        long id = NEXT.incrementAndGet();
        WAITING.put(id, new Kernel(this, kernel));
        int status = PlimsollApi.plm_stream_launch(handle, DISPATCHER, id);
        if (status < 0) {
            WAITING.remove(id);
            Native.check(status);
        }
    }

    /** Enqueues a copy between device addresses. */
    public void copy(long destination, long source, long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("cannot copy " + bytes + " bytes");
        }
        Native.check(PlimsollApi.plm_copy_async(handle, destination, source, bytes));
    }

    /** Waits until all that was submitted has run. */
    public void synchronize(Duration timeout) {
        int status = PlimsollApi.plm_stream_sync(handle, Native.millis(timeout));
        if (status < 0) {
            DeviceException thrown = new DeviceException(status, Native.lastError());
            Throwable cause = Native.timedOut(status) ? null : failure.getAndSet(null);
            if (cause != null) {
                thrown.initCause(cause);
            }
            throw thrown;
        }
    }

    /** Runs what is left, for at most 5 s, and frees the stream; throws, with the stream still there, when that takes longer. */
    @Override
    public synchronized void close() {
        if (!closed) {
            Native.check(PlimsollApi.plm_stream_destroy(handle, 5000));
            closed = true;
        }
    }

    @Override
    public String toString() {
        return "Stream[" + name + "]";
    }

    private record Kernel(Stream stream, Runnable body) {}

    private static final class Dispatcher extends plm_kernel_fn {
        /** An exception that leaves here ends the process, so none does. */
        @Override
        public int call(long id) {
            Kernel kernel = WAITING.remove(id);
            if (kernel == null) {
                return PlimsollApi.PLM_E_STATE;
            }
            try {
                kernel.body().run();
                return PlimsollApi.PLM_OK;
            } catch (Throwable thrown) {
                kernel.stream().failure.compareAndSet(null, thrown);
                return PlimsollApi.PLM_E_DEVICE;
            }
        }
    }
}
