package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.device.api.plm_info;
import dev.plimsoll.device.api.plm_open_opts;
import dev.plimsoll.device.api.plm_probe_info;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.jspecify.annotations.Nullable;

/**
 * One open back end in this process: where streams, memory and rings come from.
 *
 * <p>Any thread may call it. Everything made from a device must be closed before it.
 */
public final class Device implements AutoCloseable {

    /**
     * What is known of a back end on this machine.
     *
     * @param backend {@code host}, {@code ascend} or {@code cuda}
     * @param available whether {@link #open} works
     * @param devices how many devices there are, 0 when that is not known
     * @param library the libraries that were found, empty when none
     * @param version what they say of their versions
     * @param reason why it is not available, empty when it is
     * @param degraded a line for each optional function that is not there: its name, and what does not work without it
     */
    public record Probe(
            String backend,
            boolean available,
            int devices,
            String library,
            String version,
            String reason,
            List<String> degraded) {
        public Probe {
            degraded = List.copyOf(degraded);
        }
    }

    /**
     * How urgent the library's own streams are.
     *
     * @param asked the least urgent value that the platform has; smaller is more urgent
     * @param honoured whether the platform documents that it matters; else it is asked for, and promised by nobody
     */
    public record Priority(int asked, boolean honoured) {}

    private final long handle;
    private final String backend;
    private volatile boolean closed;

    private Device(long handle, String backend) {
        this.handle = handle;
        this.backend = backend;
    }

    /** Says whether a back end can be opened here, and why not. */
    public static Probe probe(String backend) {
        return probe(backend, Optional.empty());
    }

    /**
     * Says whether a back end can be opened here, and why not.
     *
     * @param libraries directory of the vendor's libraries; empty: where the system looks
     */
    public static Probe probe(String backend, Optional<Path> libraries) {
        Native.load();
        try (plm_probe_info info = new plm_probe_info()) {
            info.size(info.sizeof());
            Native.check(
                    PlimsollApi.plm_probe(backend, libraries.map(Path::toString).orElse(null), info));
            return new Probe(
                    backend,
                    info.available() != 0,
                    info.devices(),
                    info.library().getString(),
                    info.version().getString(),
                    info.reason().getString(),
                    info.degraded().getString().lines().toList());
        }
    }

    /** Opens a back end: {@code host} is always there. */
    public static Device open(String backend) {
        return open(backend, Optional.empty());
    }

    /**
     * Opens device 0 of a back end.
     *
     * @param libraries directory of the vendor's libraries; empty: where the system looks
     */
    public static Device open(String backend, Optional<Path> libraries) {
        Native.load();
        long[] handle = new long[1];
        try (plm_open_opts opts = new plm_open_opts();
                @Nullable
                        BytePointer directory = libraries
                                .map(path -> Native.utf8(path.toString()))
                                .orElse(null)) {
            opts.zero();
            opts.size(opts.sizeof());
            opts.library_dir(directory);
            Native.check(PlimsollApi.plm_open(backend, opts, handle));
        }
        return new Device(handle[0], backend);
    }

    /** How urgent the library's own streams are here. */
    public Priority priority() {
        try (plm_info info = new plm_info()) {
            info.size(info.sizeof());
            Native.check(PlimsollApi.plm_get_info(handle, info));
            return new Priority(info.priority_asked(), info.priority_honoured() != 0);
        }
    }

    /** A new stream; on the host back end a thread that runs what is submitted in order. */
    public Stream stream(String name) {
        long[] stream = new long[1];
        Native.check(PlimsollApi.plm_stream_create(handle, name, stream));
        return new Stream(stream[0], name);
    }

    /** Device memory, 64-byte aligned; zeroed on the host back end, of undefined content elsewhere. */
    public DeviceMemory allocate(long bytes) {
        long[] address = new long[1];
        Native.check(PlimsollApi.plm_alloc(handle, PlimsollApi.PLM_MEMORY_DEVICE, bytes, address));
        return new DeviceMemory(handle, address[0], bytes);
    }

    /** Closes the back end; refuses while anything made from it is open past the timeout. */
    public void close(Duration timeout) {
        if (!closed) {
            Native.check(PlimsollApi.plm_close(handle, Native.millis(timeout)));
            closed = true;
        }
    }

    @Override
    public void close() {
        close(Duration.ofSeconds(5));
    }

    long handle() {
        return handle;
    }

    @Override
    public String toString() {
        return "Device[" + backend + "]";
    }
}
