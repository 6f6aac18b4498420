package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.wire.WireException.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
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

    /** @param direct the direct codec with its fields; symbols may have been added since */
    private record Version<T>(
            Schema schema, GenericDatumReader<GenericRecord> reader, Optional<DirectCodec<T>> direct) {}

    private final Class<? extends T> type;
    private final Codec<T> codec;
    private final List<SchemaTable.Entry> entries;
    private final int writtenId;
    private final Schema schema;
    private final GenericDatumWriter<GenericRecord> writer;
    private final Map<Integer, Version<T>> versions = new HashMap<>();
    private final Optional<DirectCodec<T>> direct;
    private final byte[] frame;

    RecordFormat(Class<? extends T> type, String record, Codec<T> codec) {
        this.type = type;
        this.codec = codec;
        this.entries = SchemaTable.of(record);
        SchemaTable.Entry newest = entries.get(entries.size() - 1);
        this.writtenId = newest.id();
        this.schema = newest.schema();
        this.writer = new GenericDatumWriter<>(schema);
        this.frame =
                ByteBuffer.allocate(FRAME_BYTES).put((byte) 0).putInt(writtenId).array();
        this.direct = codec.direct();
        direct.ifPresent(it -> {
            List<String> fields = fields(schema);
            if (!fields.equals(it.fields())) {
                throw new IllegalStateException(
                        record + " has the fields " + fields + ", its direct codec " + it.fields());
            }
        });
        for (SchemaTable.Entry entry : entries) {
            versions.put(
                    entry.id(),
                    new Version<>(
                            entry.schema(),
                            new GenericDatumReader<>(entry.schema(), schema),
                            Stream.concat(direct.stream(), codec.directBefore().stream())
                                    .filter(it -> it.fields().equals(fields(entry.schema())))
                                    .findFirst()));
        }
    }

    private static List<String> fields(Schema schema) {
        return schema.getFields().stream().map(Schema.Field::name).toList();
    }

    List<SchemaTable.Entry> entries() {
        return entries;
    }

    /** Of the newest version, which is written. */
    int writtenId() {
        return writtenId;
    }

    boolean writes(Object value) {
        return type.isInstance(value);
    }

    boolean reads(int id) {
        return versions.containsKey(id);
    }

    byte[] encode(T value) {
        return direct.isPresent() ? direct.get().write(frame, value) : encodeByFields(value);
    }

    /** By way of Avro's own writer. */
    byte[] encodeByFields(T value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(256);
        out.writeBytes(frame);
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
        Version<T> version = versions.get(id);
        if (version == null || version.direct().isEmpty()) {
            return decodeByFields(id, bytes, from, end);
        }
        try {
            return version.direct().get().read(new WireReader(bytes, from, end));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw invalid(e);
        }
    }

    /** By way of Avro's own reader. */
    T decodeByFields(int id, byte[] bytes, int from, int end) throws WireException {
        Version<T> version = versions.get(id);
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
            throw invalid(e);
        }
    }

    private WireException invalid(RuntimeException why) {
        return new WireException(Reason.INVALID, schema.getName() + ": " + why.getMessage(), why);
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
