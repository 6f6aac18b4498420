package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.wire.WireException.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/**
 * One kind of record on the wire: magic byte 0, a schema id of 4 bytes big-endian, Avro binary. Writes the newest schema of the
 * table, reads all of them. May be used by any thread.
 */
final class RecordFormat<T> {
    static final int FRAME_BYTES = 5;

    private record Version(Schema schema, GenericDatumReader<GenericRecord> reader) {}

    private final Class<? extends T> type;
    private final Codec<T> codec;
    private final List<SchemaTable.Entry> entries;
    private final int writtenId;
    private final Schema schema;
    private final GenericDatumWriter<GenericRecord> writer;
    private final Map<Integer, Version> versions = new HashMap<>();

    RecordFormat(Class<? extends T> type, String record, Codec<T> codec) {
        this.type = type;
        this.codec = codec;
        this.entries = SchemaTable.of(record);
        SchemaTable.Entry newest = entries.get(entries.size() - 1);
        this.writtenId = newest.id();
        this.schema = newest.schema();
        this.writer = new GenericDatumWriter<>(schema);
        for (SchemaTable.Entry entry : entries) {
            versions.put(entry.id(), new Version(entry.schema(), new GenericDatumReader<>(entry.schema(), schema)));
        }
    }

    List<SchemaTable.Entry> entries() {
        return entries;
    }

    boolean writes(Object value) {
        return type.isInstance(value);
    }

    boolean reads(int id) {
        return versions.containsKey(id);
    }

    byte[] encode(T value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(256);
        out.write(0);
        out.write(writtenId >>> 24);
        out.write(writtenId >>> 16);
        out.write(writtenId >>> 8);
        out.write(writtenId);
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        try {
            writer.write(record(value), encoder);
            encoder.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return out.toByteArray();
    }

    /** The value of the bytes {@code [from, end)}, which follow the frame. */
    T decode(int id, byte[] bytes, int from, int end) throws WireException {
        Version version = versions.get(id);
        if (version == null) {
            throw new IllegalArgumentException("not a schema of this record: " + id);
        }
        ShapeCheck.check(version.schema(), bytes, from, end);
        GenericRecord record;
        try {
            record = version.reader().read(null, DecoderFactory.get().binaryDecoder(bytes, from, end - from, null));
        } catch (IOException | RuntimeException e) {
            throw new WireException(Reason.MALFORMED, schema.getName() + ": " + e, e);
        }
        try {
            return codec.read(new Fields(record));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new WireException(Reason.INVALID, schema.getName() + ": " + e.getMessage(), e);
        }
    }

    String line(T value) {
        return codec.line(value);
    }

    String json(T value) {
        ObjectNode json = Json.of(record(value));
        codec.amend(value, json);
        return json.toString();
    }

    private GenericRecord record(T value) {
        Fields fields = Fields.blank(schema);
        codec.write(value, fields);
        return fields.record();
    }
}
