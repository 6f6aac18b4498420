package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.io.DecoderFactory;

/**
 * Bytes that are no record of a topic, or may be none, read as far as they can be: for people who look for what is wrong with them.
 *
 * @param schemaId what stands behind the magic byte; empty when there is no frame
 * @param schema the schema of that id, empty when the topic has none
 * @param fields the fields that could be read, in order
 * @param stop where reading ended before the end, empty when the bytes are exactly the schema's fields
 */
public record Dissection(
        Optional<Integer> schemaId, Optional<WireSchema> schema, List<Field> fields, Optional<Stop> stop) {
    private static final int LONGEST_TEXT = 200;

    /**
     * A field that could be read.
     *
     * @param name with those of the records that it is in, such as {@code state.epoch}
     * @param text its value as JSON, cut where it is long
     */
    public record Field(String name, String text) {}

    /**
     * Where reading ended.
     *
     * @param where the field, or {@code frame}, or {@code end} for bytes behind the last field
     * @param offset the byte at which it begins
     */
    public record Stop(String where, int offset, String why) {}

    public Dissection {
        fields = List.copyOf(fields);
    }

    /** Reads what can be read; never throws for the bytes. */
    public static Dissection of(Topic<?> topic, byte[] bytes) {
        if (bytes.length < RecordFormat.FRAME_BYTES || bytes[0] != 0) {
            String why = bytes.length == 0
                    ? "there are no bytes"
                    : "a record begins with 0 and four bytes of a schema id, this with "
                            + String.format("%02x", bytes[0]) + " of " + bytes.length + " bytes";
            return new Dissection(
                    Optional.empty(), Optional.empty(), List.of(), Optional.of(new Stop("frame", 0, why)));
        }
        int id = ByteBuffer.wrap(bytes).getInt(1);
        Optional<WireSchema> schema =
                topic.schemas().stream().filter(known -> known.id() == id).findFirst();
        if (schema.isEmpty()) {
            Stop stop = new Stop("frame", 1, "no schema of " + topic.name() + " has the id " + id);
            return new Dissection(Optional.of(id), schema, List.of(), Optional.of(stop));
        }
        Walk walk = new Walk(bytes);
        Optional<Stop> stop =
                walk.record(new Schema.Parser().parse(schema.get().json()), "").or(walk::behindTheEnd);
        return new Dissection(Optional.of(id), schema, walk.fields, stop);
    }

    private static final class Walk {
        private final byte[] bytes;
        private final List<Field> fields = new ArrayList<>();
        private int at = RecordFormat.FRAME_BYTES;

        Walk(byte[] bytes) {
            this.bytes = bytes;
        }

        /** Returns where it stopped, empty when all fields were read. */
        Optional<Stop> record(Schema record, String prefix) {
            for (Schema.Field field : record.getFields()) {
                String name = prefix + field.name();
                Optional<Stop> stop = field.schema().getType() == Schema.Type.RECORD
                        ? record(field.schema(), name + ".")
                        : field(field.schema(), name);
                if (stop.isPresent()) {
                    return stop;
                }
            }
            return Optional.empty();
        }

        private Optional<Stop> field(Schema schema, String name) {
            try {
                int after = ShapeCheck.after(schema, bytes, at, bytes.length);
                fields.add(new Field(name, text(schema, after)));
                at = after;
                return Optional.empty();
            } catch (WireException | IOException | RuntimeException e) {
                return Optional.of(new Stop(name, at, String.valueOf(e.getMessage())));
            }
        }

        private String text(Schema schema, int after) throws IOException {
            if (schema.getType() == Schema.Type.BYTES) {
                return "(" + (after - at) + " bytes with their length)";
            }
            Object value = new GenericDatumReader<>(schema)
                    .read(null, DecoderFactory.get().binaryDecoder(bytes, at, after - at, null));
            JsonNode json = Json.node(schema, value);
            String text = json.toString();
            return text.length() <= LONGEST_TEXT
                    ? text
                    : text.substring(0, LONGEST_TEXT) + "…" + (json.isArray() ? " (" + json.size() + " in all)" : "");
        }

        Optional<Stop> behindTheEnd() {
            return at == bytes.length
                    ? Optional.empty()
                    : Optional.of(new Stop("end", at, (bytes.length - at) + " bytes follow the last field"));
        }
    }
}
