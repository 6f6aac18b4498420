package dev.plimsoll.replay.export;

import dev.plimsoll.replay.format.npy.NpyHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;

/**
 * A workload of {@code bench planner}: an array of {@code [window][sub-sample][layer][expert]} in NumPy's format, uint32, little-endian.
 * How many windows there are shows at the end, so the header is written twice.
 *
 * <p>Format: numpy.lib.format in NumPy's documentation, version 1.
 */
public final class WorkloadFile implements AutoCloseable {
    private static final long MOST = 0xFFFF_FFFFL;

    private final FileChannel channel;
    private int windows;
    /** Parts, layers, experts. */
    private int[] shape = {0, 0, 0};

    private String first = "";

    public WorkloadFile(Path file) throws IOException {
        channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    public int windows() {
        return windows;
    }

    /**
     * The next window.
     *
     * @param name of the window, for people
     * @param load {@code [sub-sample][layer][expert]}
     * @throws IllegalArgumentException when it has another shape than those before, or a number that is too large
     */
    void add(String name, long[][][] load) throws IOException {
        int[] of = {load.length, load[0].length, load[0][0].length};
        if (windows == 0) {
            shape = of;
            first = name;
            write(ByteBuffer.wrap(header(0)));
        } else if (!Arrays.equals(shape, of)) {
            throw new IllegalArgumentException(name + " has " + words(of) + ", " + first + " has " + words(shape)
                    + ": a workload is of one shape; narrow it down with --incarnation, --from or --to");
        }
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(Integer.BYTES * of[0], of[1] * of[2]))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (long[][] part : load) {
            for (long[] layer : part) {
                for (long tokens : layer) {
                    if (tokens > MOST) {
                        throw new IllegalArgumentException(
                                name + " has an expert with " + tokens + " tokens: a workload has at most " + MOST);
                    }
                    bytes.putInt((int) tokens);
                }
            }
        }
        write(bytes.flip());
        windows++;
    }

    /** As long for any number of windows: NumPy's headers leave room for the first dimension to grow. */
    private byte[] header(int ofWindows) {
        return NpyHeader.write("<u4", List.of(ofWindows, shape[0], shape[1], shape[2]));
    }

    private static String words(int[] shape) {
        return shape[0] + " sub-windows of " + shape[1] + " layers × " + shape[2] + " experts";
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Writes the header and closes the file. */
    @Override
    public void close() throws IOException {
        try (channel) {
            channel.position(0);
            write(ByteBuffer.wrap(header(windows)));
        }
    }
}
