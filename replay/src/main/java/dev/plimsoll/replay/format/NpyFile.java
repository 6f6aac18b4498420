package dev.plimsoll.replay.format;

import dev.plimsoll.replay.format.npy.NpyHeader;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * An array of unsigned whole numbers in NumPy's format, read from its beginning to its end: {@code .npy} of version 1 to 3, or
 * {@code .npy.gz}; little-endian uint16 or uint32 in C order. Anything else is refused with its name and what it is.
 *
 * <p>Format: numpy.lib.format in NumPy's documentation.
 */
public final class NpyFile implements AutoCloseable {
    private final Path path;
    private final DataInputStream in;
    private final List<Integer> shape;
    private final int bytesPerValue;
    private final long values;
    private final long headerBytes;

    private NpyFile(Path path, DataInputStream in) throws IOException {
        this.path = path;
        this.in = in;
        NpyHeader header = NpyHeader.read(path.toString(), in);
        String type = header.type();
        if (!type.equals("<u2") && !type.equals("<u4")) {
            throw new IOException(path + " holds numbers of type '" + type
                    + "': needs '<u2' or '<u4' (uint16 or uint32, little-endian)");
        }
        bytesPerValue = type.charAt(2) - '0';
        if (header.fortranOrder()) {
            throw new IOException(path + " is in Fortran order: needs C order, such as numpy.ascontiguousarray makes");
        }
        shape = header.shape().stream().map(Math::toIntExact).toList();
        headerBytes = header.bytes();
        values = values();
    }

    /** As many as the shape says; a shape that nothing can hold is refused before anything is allocated for it. */
    private long values() throws IOException {
        long product = 1;
        try {
            for (int size : shape) {
                product = Math.multiplyExact(product, size);
            }
            Math.multiplyExact(product, bytesPerValue);
        } catch (ArithmeticException e) {
            throw new IOException(path + " is too large: its shape says " + shape, e);
        }
        return product;
    }

    /** Refuses a file that is not packed and has another size than its shape says; how long a packed one is shows at its end. */
    public void requireSize() throws IOException {
        if (isPacked(path)) {
            return;
        }
        long needed = values * bytesPerValue;
        long there = Files.size(path) - headerBytes;
        if (there < needed) {
            throw new IOException(path + " ends before its last value: its shape says " + shape + ", " + needed
                    + " bytes of values, and it has " + there);
        }
        if (there > needed) {
            throw new IOException(path + " goes on behind its last value: its shape says " + shape);
        }
    }

    /** Opens a file and reads its header. */
    public static NpyFile open(Path path) throws IOException {
        InputStream file = Files.newInputStream(path);
        try {
            return new NpyFile(
                    path,
                    new DataInputStream(new BufferedInputStream(isPacked(path) ? new GZIPInputStream(file) : file)));
        } catch (ZipException e) {
            file.close();
            throw new IOException(
                    path + " is not in gzip format, as its name says, or is corrupt: " + e.getMessage(), e);
        } catch (FormatException e) {
            file.close();
            throw new IOException(path + " " + e.reason(), e);
        } catch (EOFException e) {
            file.close();
            throw new IOException(path + " ends within its header", e);
        } catch (IOException e) {
            file.close();
            throw named(path, e);
        }
    }

    private static boolean isPacked(Path path) {
        return path.getFileName().toString().endsWith(".gz");
    }

    /** Size of every dimension, the slowest first. */
    public List<Integer> shape() {
        return shape;
    }

    /** The next {@code count} values. */
    public long[] next(int count) throws IOException {
        byte[] bytes = new byte[Math.multiplyExact(count, bytesPerValue)];
        try {
            in.readFully(bytes);
        } catch (EOFException e) {
            throw new IOException(path + " ends before its last value: its shape says " + shape, e);
        } catch (ZipException e) {
            throw corrupt(e);
        } catch (IOException e) {
            throw named(path, e);
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = bytesPerValue == 2
                    ? Short.toUnsignedLong(buffer.getShort())
                    : Integer.toUnsignedLong(buffer.getInt());
        }
        return values;
    }

    /** Refuses a file that goes on behind its last value. */
    public void requireEnd() throws IOException {
        int next;
        try {
            next = in.read(); // reads and checks what stands behind the packed bytes too
        } catch (EOFException | ZipException e) {
            throw corrupt(e);
        }
        if (next >= 0) {
            throw new IOException(path + " goes on behind its last value: its shape says " + shape);
        }
    }

    private IOException corrupt(IOException e) {
        return new IOException(path + " is cut or corrupt (" + e.getMessage() + "): fetch or pack it again", e);
    }

    /** The operating system's words do not say which file they are about. */
    private static IOException named(Path path, IOException e) {
        String message = String.valueOf(e.getMessage());
        return message.contains(path.toString()) ? e : new IOException(path + " cannot be read: " + message, e);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
