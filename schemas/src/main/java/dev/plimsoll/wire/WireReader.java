package dev.plimsoll.wire;

import dev.plimsoll.model.LongVector;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads Avro's binary form value by value, out of bytes that may be anything: every length, count, index and number is checked against
 * the bytes that are left before it is used, so that nothing is allocated that they could not fill.
 */
final class WireReader {
    private final byte[] bytes;
    private final int end;
    private int at;

    /** Of the bytes {@code [from, end)}. */
    WireReader(byte[] bytes, int from, int end) {
        this.bytes = bytes;
        this.end = end;
        this.at = from;
    }

    byte[] bytes() {
        return bytes;
    }

    /** Where in the bytes the next value begins. */
    int position() {
        return at;
    }

    long number() throws WireException {
        long raw = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            if (at == end) {
                throw malformed("the record ends within a number");
            }
            byte next = bytes[at++];
            raw |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return (raw >>> 1) ^ -(raw & 1);
            }
        }
        throw malformed("number of more than 10 bytes");
    }

    int integer() throws WireException {
        long value = number();
        if (value != (int) value) {
            throw malformed("int " + value + " out of range");
        }
        return (int) value;
    }

    boolean flag() throws WireException {
        skip(1);
        if ((bytes[at - 1] & ~1) != 0) {
            throw malformed("boolean is " + bytes[at - 1]);
        }
        return bytes[at - 1] == 1;
    }

    /** A symbol of an enum or a branch of a union. */
    int index(int bound) throws WireException {
        long index = number();
        if (index < 0 || index >= bound) {
            throw malformed("index " + index + " of " + bound);
        }
        return (int) index;
    }

    /** The length of a text or of bytes, which begin at the {@link #position} behind it. */
    int length() throws WireException {
        long length = number();
        checkLength(length);
        return (int) length;
    }

    /** A text as Avro reads it: what is no UTF-8 becomes a replacement character. */
    String text() throws WireException {
        int length = length();
        at += length;
        return new String(bytes, at - length, length, StandardCharsets.UTF_8);
    }

    void skip(long length) throws WireException {
        checkLength(length);
        at += (int) length;
    }

    private void checkLength(long length) throws WireException {
        if (length < 0 || length > end - at) {
            throw malformed("length " + length + " with " + (end - at) + " bytes left");
        }
    }

    /** How many elements the next block of an array has; 0 behind the last. None takes less than a byte. */
    int block() throws WireException {
        long count = number();
        if (count < 0) {
            long size = number();
            // Only skippers need it: checked, not followed.
            if (size < 0 || size > end - at) {
                throw malformed("block of " + size + " bytes in " + (end - at));
            }
            count = -count;
        }
        if (count < 0 || count > end - at) {
            throw malformed("array of " + count + " elements in " + (end - at) + " bytes");
        }
        return (int) count;
    }

    LongVector numbers() throws WireException {
        long[] values = new long[0];
        int size = 0;
        for (int count = block(); count != 0; count = block()) {
            // Doubled, as every element may come in a block of its own.
            values = size + count <= values.length ? values : Arrays.copyOf(values, Math.max(size + count, 2 * size));
            for (int i = 0; i < count; i++) {
                values[size++] = number();
            }
        }
        return LongVector.wrapping(values.length == size ? values : Arrays.copyOf(values, size));
    }

    /** @throws WireException when there is more */
    void end() throws WireException {
        if (at != end) {
            throw malformed((end - at) + " bytes behind the end of the record");
        }
    }

    static WireException malformed(String what) {
        return new WireException(WireException.Reason.MALFORMED, what);
    }
}
