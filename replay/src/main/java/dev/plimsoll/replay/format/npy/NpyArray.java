package dev.plimsoll.replay.format.npy;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * A whole array in NumPy's format, packed by gzip or not; whole numbers, truth values and floats of either order of bytes.
 *
 * <p>A packed one is unpacked once without keeping it, so that room is made only for what is really there.
 */
public final class NpyArray {
    private static final int CHUNK = 8_192;
    private static final int HEAD = 1_024;

    private NpyArray() {}

    /** Whether a file begins like an array, packed or not. */
    static boolean isArray(Input input, String file) throws IOException {
        byte[] head = input.head(file, HEAD);
        if (isPacked(head)) {
            try (InputStream unpacked = new GZIPInputStream(new ByteArrayInputStream(head))) {
                head = unpacked.readNBytes(NpyHeader.MAGIC.length);
            } catch (EOFException | ZipException e) {
                return false;
            }
        }
        return head.length >= NpyHeader.MAGIC.length
                && Arrays.equals(Arrays.copyOf(head, NpyHeader.MAGIC.length), NpyHeader.MAGIC);
    }

    /** The shape of the array that an input is, from its beginning; empty when it is none. */
    public static Optional<List<Long>> shape(Input input) throws IOException {
        String file = input.files().isEmpty() ? "" : input.files().get(0);
        if (input.directory() || file.isEmpty() || !isArray(input, file)) {
            return Optional.empty();
        }
        byte[] head = input.head(file, 1 << 17);
        try (InputStream in = unpacked(head)) {
            return Optional.of(NpyHeader.read(file, in).shape());
        } catch (FormatException | EOFException | ZipException e) {
            return Optional.empty();
        }
    }

    private static boolean isPacked(byte[] bytes) {
        return bytes.length > 1 && bytes[0] == 0x1f && bytes[1] == (byte) 0x8b;
    }

    private static InputStream unpacked(byte[] bytes) throws IOException {
        InputStream in = new ByteArrayInputStream(bytes);
        return isPacked(bytes) ? new GZIPInputStream(in) : in;
    }

    /** The array that one file of an input is. */
    public static Numbers read(Input input, String file) throws IOException {
        byte[] bytes = input.bytes(file);
        if (!isPacked(bytes)) {
            NpyHeader header = NpyHeader.read(file, new ByteArrayInputStream(bytes));
            return numbers(file, header, bytes);
        }
        String part = file + " (unpacked)";
        try {
            return numbers(part, header(part, bytes), unpack(part, bytes));
        } catch (EOFException | ZipException e) {
            throw new FormatException(
                    file, bytes.length, "is cut or corrupt (" + e.getMessage() + "): fetch or pack it again");
        }
    }

    private static NpyHeader header(String part, byte[] bytes) throws IOException {
        try (InputStream in = unpacked(bytes)) {
            return NpyHeader.read(part, in);
        }
    }

    /** All bytes, after it has been seen that they are as many as the shape says. */
    private static byte[] unpack(String part, byte[] bytes) throws IOException {
        long needed;
        try (InputStream in = unpacked(bytes)) {
            NpyHeader header = NpyHeader.read(part, in);
            long values = Numbers.product(
                    header.shape().stream().mapToLong(Long::longValue).toArray());
            int each = order(part, header).type.bytes();
            needed = values > Input.MOST_BYTES ? Long.MAX_VALUE : values * each + header.bytes();
            long there = header.bytes();
            byte[] chunk = new byte[CHUNK];
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                there += read;
                if (there > needed) {
                    throw new FormatException(
                            part, needed, "goes on behind its last value: its shape says " + header.shape());
                }
            }
            if (there < needed) {
                throw new FormatException(part, there, "ends before its last value: its shape says " + header.shape());
            }
        }
        Input.requireRoom(part, needed);
        try (InputStream in = unpacked(bytes)) {
            byte[] all = new byte[(int) needed];
            in.readNBytes(all, 0, all.length);
            return all;
        }
    }

    private record Typed(NumberType type, ByteOrder order) {}

    private static Typed order(String file, NpyHeader header) throws FormatException {
        String type = header.type();
        Optional<NumberType> known = type.length() == 3 ? NumberType.ofNpy(type.substring(1)) : Optional.empty();
        char order = known.isEmpty() ? '?' : type.charAt(0);
        if (order != '<' && order != '>' && !(order == '|' && known.get().bytes() == 1)) {
            throw new FormatException(
                    file,
                    NpyHeader.MAGIC.length,
                    "holds values of type '"
                            + (type.length() > 40 ? type.substring(0, 40) : type)
                            + "': needs whole numbers of 1 to 8 bytes, truth values, float32 or float64");
        }
        return new Typed(known.get(), order == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    }

    private static Numbers numbers(String file, NpyHeader header, byte[] bytes) throws FormatException {
        Typed typed = order(file, header);
        ByteBuffer values = ByteBuffer.wrap(bytes, header.bytes(), bytes.length - header.bytes())
                .order(typed.order);
        long[] shape = header.shape().stream().mapToLong(Long::longValue).toArray();
        return Numbers.packed(file, header.bytes(), values, typed.type, shape, header.fortranOrder());
    }

    /**
     * A file, as {@code numpy.save} writes it.
     *
     * @param numbers the last dimension the fastest
     * @throws IllegalArgumentException when a number does not fit into the type, or they are not as many as the shape says
     */
    public static byte[] write(NumberType type, List<Integer> shape, long[] numbers) {
        if (Numbers.product(shape.stream().mapToLong(Integer::longValue).toArray()) != numbers.length) {
            throw new IllegalArgumentException(numbers.length + " numbers are not of shape " + shape);
        }
        byte[] header = NpyHeader.write((type.bytes() == 1 ? "|" : "<") + type.npy(), shape);
        byte[] values = Numbers.bytes(type, numbers);
        byte[] file = Arrays.copyOf(header, header.length + values.length);
        System.arraycopy(values, 0, file, header.length, values.length);
        return file;
    }
}
