package dev.plimsoll.wire;

import org.apache.avro.Schema;

/**
 * Walks over Avro bytes without building anything: whether every length, count, index and number is one that the bytes can
 * hold. After it, decoding allocates no more than a small multiple of the bytes, whatever they were.
 *
 * <p>Avro's own limits ({@code org.apache.avro.limits.*}) are per process, not per record, and allow 2^31 by default. Values
 * of no bytes (null, empty records) are not allowed as array elements, so a count never exceeds what follows it.
 */
final class ShapeCheck {
    private final byte[] bytes;
    private final int end;
    private int at;

    private ShapeCheck(byte[] bytes, int from, int end) {
        this.bytes = bytes;
        this.end = end;
        this.at = from;
    }

    /** @throws WireException {@code MALFORMED} when the bytes {@code [from, end)} are not exactly one value of the schema */
    static void check(Schema schema, byte[] bytes, int from, int end) throws WireException {
        ShapeCheck check = new ShapeCheck(bytes, from, end);
        check.value(schema);
        if (check.at != end) {
            throw malformed((end - check.at) + " bytes behind the end of the record");
        }
    }

    private void value(Schema schema) throws WireException {
        switch (schema.getType()) {
            case RECORD -> {
                for (Schema.Field field : schema.getFields()) {
                    value(field.schema());
                }
            }
            case ARRAY -> array(schema.getElementType());
            case UNION -> value(schema.getTypes().get(index(schema.getTypes().size())));
            case ENUM -> index(schema.getEnumSymbols().size());
            case STRING, BYTES -> skip(varint());
            case LONG -> varint();
            case INT -> {
                long value = varint();
                if (value != (int) value) {
                    throw malformed("int " + value + " out of range");
                }
            }
            case FLOAT -> skip(4);
            case DOUBLE -> skip(8);
            case BOOLEAN -> {
                skip(1);
                if ((bytes[at - 1] & ~1) != 0) {
                    throw malformed("boolean is " + bytes[at - 1]);
                }
            }
            case NULL -> {}
            default -> throw new IllegalStateException("our schemas have no " + schema.getType());
        }
    }

    private void array(Schema element) throws WireException {
        for (long count = varint(); count != 0; count = varint()) {
            if (count < 0) {
                blockSize(varint());
                count = -count;
            }
            if (count < 0 || count > end - at) {
                throw malformed("array of " + count + " elements in " + (end - at) + " bytes");
            }
            for (long i = 0; i < count; i++) {
                value(element);
            }
        }
    }

    /** A block's size in bytes, which only skippers need: checked, not followed. */
    private void blockSize(long size) throws WireException {
        if (size < 0 || size > end - at) {
            throw malformed("block of " + size + " bytes in " + (end - at));
        }
    }

    private int index(int bound) throws WireException {
        long index = varint();
        if (index < 0 || index >= bound) {
            throw malformed("index " + index + " of " + bound);
        }
        return (int) index;
    }

    private void skip(long length) throws WireException {
        if (length < 0 || length > end - at) {
            throw malformed("length " + length + " with " + (end - at) + " bytes left");
        }
        at += (int) length;
    }

    private long varint() throws WireException {
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

    private static WireException malformed(String what) {
        return new WireException(WireException.Reason.MALFORMED, what);
    }
}
