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
    private ShapeCheck() {}

    /** @throws WireException {@code MALFORMED} when the bytes {@code [from, end)} are not exactly one value of the schema */
    static void check(Schema schema, byte[] bytes, int from, int end) throws WireException {
        WireReader reader = new WireReader(bytes, from, end);
        value(schema, reader);
        reader.end();
    }

    /** Where one value of the schema that begins at {@code from} ends, which is at {@code end} or before it. */
    static int after(Schema schema, byte[] bytes, int from, int end) throws WireException {
        WireReader reader = new WireReader(bytes, from, end);
        value(schema, reader);
        return reader.position();
    }

    private static void value(Schema schema, WireReader from) throws WireException {
        switch (schema.getType()) {
            case RECORD -> {
                for (Schema.Field field : schema.getFields()) {
                    value(field.schema(), from);
                }
            }
            case ARRAY -> {
                for (int count = from.block(); count != 0; count = from.block()) {
                    for (int i = 0; i < count; i++) {
                        value(schema.getElementType(), from);
                    }
                }
            }
            case UNION ->
                value(schema.getTypes().get(from.index(schema.getTypes().size())), from);
            case ENUM -> from.index(schema.getEnumSymbols().size());
            case STRING, BYTES -> from.skip(from.number());
            case LONG -> from.number();
            case INT -> from.integer();
            case FLOAT -> from.skip(4);
            case DOUBLE -> from.skip(8);
            case BOOLEAN -> from.flag();
            case NULL -> {}
            default -> throw new IllegalStateException("our schemas have no " + schema.getType());
        }
    }
}
