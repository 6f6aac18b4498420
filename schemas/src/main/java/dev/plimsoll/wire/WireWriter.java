package dev.plimsoll.wire;

import dev.plimsoll.model.LongVector;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/** Writes Avro's binary form value by value, without an object for any of them. */
final class WireWriter {
    private byte[] bytes;
    private int size;

    /** @param capacity bytes that will probably do */
    WireWriter(int capacity) {
        bytes = new byte[capacity];
    }

    WireWriter number(long value) {
        room(10);
        long raw = (value << 1) ^ (value >> 63);
        while ((raw & ~0x7fL) != 0) {
            bytes[size++] = (byte) (raw | 0x80);
            raw >>>= 7;
        }
        bytes[size++] = (byte) raw;
        return this;
    }

    WireWriter flag(boolean value) {
        return raw(value ? 1 : 0);
    }

    WireWriter text(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        number(utf8.length);
        return raw(utf8);
    }

    /** An array of one block, or of none. */
    WireWriter numbers(LongVector values) {
        if (values.size() > 0) {
            number(values.size());
            for (int i = 0; i < values.size(); i++) {
                number(values.at(i));
            }
        }
        return number(0);
    }

    WireWriter raw(int value) {
        room(1);
        bytes[size++] = (byte) value;
        return this;
    }

    WireWriter raw(byte[] values) {
        System.arraycopy(values, 0, bytes, claim(values.length), values.length);
        return this;
    }

    private int claim(int count) {
        room(count);
        size += count;
        return size - count;
    }

    private void room(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(size + more, 2 * bytes.length));
        }
    }

    /** All that was written. */
    byte[] result() {
        return bytes.length == size ? bytes : Arrays.copyOf(bytes, size);
    }

    /** All that was written and {@code more} bytes behind it, which {@code rest} fills in: what is large is copied once. */
    byte[] resultWith(int more, Consumer<ByteBuffer> rest) {
        byte[] result = Arrays.copyOf(bytes, size + more);
        rest.accept(ByteBuffer.wrap(result, size, more));
        return result;
    }
}
