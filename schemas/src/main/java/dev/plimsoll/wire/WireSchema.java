package dev.plimsoll.wire;

import java.util.List;
import java.util.Optional;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;

/**
 * A schema that records carry, for a schema registry and its readers.
 *
 * @param id what stands in the frame of a record
 * @param subject the name that registries file it under
 * @param version 1, 2, 3… within its subject
 * @param json the schema as it is in the jar
 */
public record WireSchema(int id, String subject, int version, String json) {
    /** The record's name without its namespace, such as {@code LoadWindow}. */
    public String record() {
        return parsed(json).getName();
    }

    /**
     * The one that a schema in a client's own writing is: the one with the same text when both are written anew, else the newest that
     * differs in documentation only. Names may be full or short, white space and the order of attributes are free.
     *
     * @throws IllegalArgumentException when the text is no Avro schema
     */
    public static Optional<WireSchema> find(List<WireSchema> among, String json) {
        Schema wanted = parsed(json);
        String text = wanted.toString();
        Optional<WireSchema> found = Optional.empty();
        for (WireSchema schema : among) {
            Schema known = parsed(schema.json());
            if (known.toString().equals(text)) {
                return Optional.of(schema);
            }
            if (known.equals(wanted)) {
                found = Optional.of(schema);
            }
        }
        return found;
    }

    private static Schema parsed(String json) {
        try {
            return new Schema.Parser().parse(json);
        } catch (AvroRuntimeException | IllegalStateException | ClassCastException | NullPointerException e) {
            throw new IllegalArgumentException("not an Avro schema: " + e.getMessage(), e);
        }
    }
}
