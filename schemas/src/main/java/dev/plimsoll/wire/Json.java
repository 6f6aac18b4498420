package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.jspecify.annotations.Nullable;

/**
 * A record as plain JSON: the schema's field names, times as ISO-8601, NaN as null, optional fields without Avro's type tags
 * (which {@code JsonEncoder} would write, and nobody wants to type into jq).
 */
final class Json {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private Json() {}

    static ObjectNode of(GenericRecord record) {
        ObjectNode object = NODES.objectNode();
        for (Schema.Field field : record.getSchema().getFields()) {
            object.set(field.name(), node(field.schema(), record.get(field.pos())));
        }
        return object;
    }

    static JsonNode node(Schema schema, @Nullable Object value) {
        if (value == null) {
            return NullNode.getInstance();
        }
        return switch (schema.getType()) {
            case RECORD -> of((GenericRecord) value);
            case UNION -> node(schema.getTypes().get(1), value);
            case ARRAY -> {
                ArrayNode array = NODES.arrayNode();
                for (Object element : (List<?>) value) {
                    array.add(node(schema.getElementType(), element));
                }
                yield array;
            }
            case INT -> NODES.numberNode((Integer) value);
            case LONG ->
                schema.getProp("logicalType") == null
                        ? NODES.numberNode((Long) value)
                        : NODES.textNode(Instant.ofEpochMilli((Long) value).toString());
            case FLOAT -> Float.isFinite((Float) value) ? NODES.numberNode((Float) value) : NullNode.getInstance();
            case DOUBLE -> Double.isFinite((Double) value) ? NODES.numberNode((Double) value) : NullNode.getInstance();
            case BOOLEAN -> NODES.booleanNode((Boolean) value);
            // Packed fields are put in by their codec.
            case BYTES -> NullNode.getInstance();
            default -> NODES.textNode(value.toString());
        };
    }
}
