package dev.plimsoll.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Arrays in NumPy's format, right ones and wrong ones. */
public final class NpyBytes {
    private NpyBytes() {}

    /** @param dict what stands between the braces of the header */
    public static byte[] of(int version, String dict, byte[] data) {
        byte[] header = ("{" + dict + "}          \n").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer bytes = ByteBuffer.allocate(8 + (version == 1 ? 2 : 4) + header.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) 0x93)
                .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
                .put((byte) version)
                .put((byte) 0);
        if (version == 1) {
            bytes.putShort((short) header.length);
        } else {
            bytes.putInt(header.length);
        }
        return bytes.put(header).put(data).array();
    }

    /** As numpy.save writes it. */
    public static byte[] uint16(String shape, long... values) {
        ByteBuffer data = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            data.putShort((short) value);
        }
        return of(1, dict("<u2", "False", shape), data.array());
    }

    public static byte[] uint32(String shape, long... values) {
        ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            data.putInt((int) value);
        }
        return of(1, dict("<u4", "False", shape), data.array());
    }

    public static String dict(String type, String fortran, String shape) {
        return "'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", ";
    }

    public static byte[] packed(byte[] bytes) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return packed.toByteArray();
    }

    /** Writes a file, packed if its name says so. */
    public static Path write(Path file, byte[] bytes) {
        try {
            return Files.write(file, file.toString().endsWith(".gz") ? packed(bytes) : bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
