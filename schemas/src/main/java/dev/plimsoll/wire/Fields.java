package dev.plimsoll.wire;

import dev.plimsoll.model.LongVector;
import java.nio.ByteBuffer;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/**
 * The fields of one record by name, in Java's types: what codecs read from and write to.
 *
 * <p>A value that our vocabulary cannot express (an enum symbol of a later release, a missing optional field) is an
 * {@link IllegalArgumentException}, as from the model's constructors.
 */
final class Fields {
    private final GenericRecord record;

    Fields(GenericRecord record) {
        this.record = record;
    }

    static Fields blank(Schema schema) {
        return new Fields(new GenericData.Record(schema));
    }

    GenericRecord record() {
        return record;
    }

    boolean has(String name) {
        return record.get(name) != null;
    }

    String text(String name) {
        return get(name).toString();
    }

    int integer(String name) {
        return (Integer) get(name);
    }

    long number(String name) {
        return (Long) get(name);
    }

    double real(String name) {
        return (Double) get(name);
    }

    boolean flag(String name) {
        return (Boolean) get(name);
    }

    /** Whether the record's schema has a field of that name. */
    boolean knows(String name) {
        return record.getSchema().getField(name) != null;
    }

    /** A 64-bit hash that is written as 16 hexadecimal digits. */
    long hash(String name) {
        String digits = text(name);
        if (digits.length() != 16) {
            throw new IllegalArgumentException(name + " must be 16 hexadecimal digits, not " + digits.length());
        }
        return Long.parseUnsignedLong(digits, 16);
    }

    ByteBuffer bytes(String name) {
        return ((ByteBuffer) get(name)).duplicate();
    }

    <E extends Enum<E>> E symbol(String name, Class<E> type) {
        return constant(name, get(name).toString(), type);
    }

    /** The constant of that name. */
    static <E extends Enum<E>> E constant(String name, String symbol, Class<E> type) {
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equals(symbol)) {
                return constant;
            }
        }
        throw new IllegalArgumentException(name + " is " + symbol + ", which this release does not know");
    }

    LongVector longs(String name) {
        List<?> list = (List<?>) get(name);
        long[] values = new long[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = ((Number) list.get(i)).longValue();
        }
        return LongVector.of(values);
    }

    List<Float> floats(String name) {
        List<Float> values = new ArrayList<>();
        for (Object value : (List<?>) get(name)) {
            values.add((Float) value);
        }
        return values;
    }

    List<Integer> integers(String name) {
        List<Integer> values = new ArrayList<>();
        for (Object value : (List<?>) get(name)) {
            values.add((Integer) value);
        }
        return values;
    }

    Fields fields(String name) {
        return new Fields((GenericRecord) get(name));
    }

    List<Fields> list(String name) {
        List<Fields> values = new ArrayList<>();
        for (Object value : (List<?>) get(name)) {
            values.add(new Fields((GenericRecord) value));
        }
        return values;
    }

    /** Sets a field of a number, a text, a flag, bytes or a list of numbers. */
    Fields put(String name, Object value) {
        record.put(name, value);
        return this;
    }

    Fields putHash(String name, long hash) {
        return put(name, String.format(Locale.ROOT, "%016x", hash));
    }

    Fields putSymbol(String name, Enum<?> value) {
        return putSymbol(name, value.name());
    }

    Fields putSymbol(String name, String symbol) {
        return put(name, new GenericData.EnumSymbol(schema(name), symbol));
    }

    Fields put(String name, LongVector vector) {
        return put(name, (Object) new AbstractList<Long>() {
            @Override
            public Long get(int index) {
                return vector.at(index);
            }

            @Override
            public int size() {
                return vector.size();
            }
        });
    }

    /** A new record in a field, to be filled. */
    Fields putFields(String name) {
        Fields fields = blank(schema(name));
        record.put(name, fields.record);
        return fields;
    }

    /** Adds a new record to a list, to be filled. */
    Fields addTo(String name) {
        Schema list = schema(name);
        @SuppressWarnings("unchecked")
        List<GenericRecord> values = (List<GenericRecord>) record.get(name);
        if (values == null) {
            values = new ArrayList<>();
            record.put(name, values);
        }
        Fields fields = blank(list.getElementType());
        values.add(fields.record);
        return fields;
    }

    /** Gives a list its value when it has no elements. */
    Fields beginList(String name) {
        record.put(name, new ArrayList<GenericRecord>());
        return this;
    }

    private Object get(String name) {
        Object value = record.get(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        return value;
    }

    /** The schema of a field, behind null where it is optional. */
    private Schema schema(String name) {
        Schema schema = record.getSchema().getField(name).schema();
        return schema.isUnion() ? schema.getTypes().get(1) : schema;
    }
}
