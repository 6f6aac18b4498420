package dev.plimsoll.replay.format;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * An array of unsigned whole numbers in NumPy's format, read from its beginning to its end: {@code .npy} of version 1 to 3, or
 * {@code .npy.gz}; little-endian uint16 or uint32 in C order. Anything else is refused with its name and what it is.
 *
 * <p>Format: numpy.lib.format in NumPy's documentation.
 */
public final class NpyFile implements AutoCloseable {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int LONGEST_HEADER = 65_536;
    private static final Pattern TYPE = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
    private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9,\\s]*)\\)");

    private final Path path;
    private final DataInputStream in;
    private final List<Integer> shape;
    private final int bytesPerValue;
    private final long values;
    private long headerBytes;

    private NpyFile(Path path, DataInputStream in) throws IOException {
        this.path = path;
        this.in = in;
        String header = header();
        String type = first(TYPE, header, "no plain type");
        if (!type.equals("<u2") && !type.equals("<u4")) {
            throw new IOException(path + " holds numbers of type '" + type
                    + "': needs '<u2' or '<u4' (uint16 or uint32, little-endian)");
        }
        bytesPerValue = type.charAt(2) - '0';
        if (first(ORDER, header, "no order").equals("True")) {
            throw new IOException(path + " is in Fortran order: needs C order, such as numpy.ascontiguousarray makes");
        }
        shape = dimensions(first(SHAPE, header, "no shape"));
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

    private String header() throws IOException {
        byte[] magic = in.readNBytes(MAGIC.length);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new IOException(path + " is not a NumPy file");
        }
        int version = in.readUnsignedByte();
        int minor = in.readUnsignedByte();
        if (version < 1 || version > 3) {
            throw new IOException(path + " is of NumPy's format " + version + "." + minor + ": 1 to 3 are known");
        }
        long length = version == 1
                ? Short.toUnsignedLong(Short.reverseBytes(in.readShort()))
                : Integer.toUnsignedLong(Integer.reverseBytes(in.readInt()));
        if (length > LONGEST_HEADER) {
            throw new IOException(path + " has a header of " + length + " bytes: at most " + LONGEST_HEADER);
        }
        byte[] text = new byte[(int) length];
        in.readFully(text);
        headerBytes = MAGIC.length + 2 + (version == 1 ? Short.BYTES : Integer.BYTES) + length;
        return new String(text, StandardCharsets.UTF_8);
    }

    private String first(Pattern pattern, String header, String otherwise) throws IOException {
        Matcher matcher = pattern.matcher(header);
        if (!matcher.find()) {
            throw new IOException(path + " has a header with " + otherwise + ": " + header.trim());
        }
        return matcher.group(1);
    }

    private List<Integer> dimensions(String text) throws IOException {
        List<Integer> sizes = new ArrayList<>();
        for (String size : text.split(",", -1)) {
            if (!size.isBlank()) {
                try {
                    sizes.add(Integer.parseInt(size.trim()));
                } catch (NumberFormatException e) {
                    throw new IOException(path + " is too large: (" + text + ")", e);
                }
            }
        }
        return List.copyOf(sizes);
    }
}
