package dev.plimsoll.app.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.wire.Topic;
import java.time.Instant;

/** Records as JSON, with the field names of their schemas. */
final class RecordJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private RecordJson() {}

    static <T> JsonNode of(Topic<T> topic, T value) {
        try {
            return MAPPER.readTree(topic.json(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of " + topic + " is no JSON", e);
        }
    }

    /** With the time of the record beside its fields. */
    static <T> JsonNode of(Topic<T> topic, Dated<? extends T> record) {
        JsonNode node = of(topic, (T) record.value());
        if (node instanceof ObjectNode object) {
            object.put("at", Instant.ofEpochMilli(record.atMillis()).toString());
        }
        return node;
    }
}
