package dev.plimsoll.replay.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The columns of a table in their order, which all formats and the documents have alike.
 *
 * @param name also the name of its file
 * @param doc what a row is, one line
 */
public record TableSchema(String name, String doc, List<Column> columns) {
    public TableSchema {
        columns = List.copyOf(columns);
        Set<String> names = new HashSet<>();
        for (Column column : columns) {
            if (!names.add(column.name())) {
                throw new IllegalArgumentException("table " + name + " has two columns " + column.name());
            }
        }
    }

    /** As an Avro record. */
    public String avro() {
        ObjectNode schema = JsonNodeFactory.instance.objectNode();
        schema.put("type", "record")
                .put("name", name.replace('-', '_'))
                .put("namespace", "dev.plimsoll.export")
                .put("doc", doc);
        ArrayNode fields = schema.putArray("fields");
        for (Column column : columns) {
            ObjectNode field = fields.addObject().put("name", column.name());
            if (column.optional()) {
                field.putArray("type").add("null").add(type(column));
                field.putNull("default");
            } else {
                field.set("type", type(column));
            }
            field.put("doc", column.doc());
        }
        return schema.toString();
    }

    private static com.fasterxml.jackson.databind.JsonNode type(Column column) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        return switch (column.type()) {
            case TEXT -> nodes.textNode("string");
            case INT -> nodes.textNode("int");
            case LONG -> nodes.textNode("long");
            case DOUBLE -> nodes.textNode("double");
            case FLAG -> nodes.textNode("boolean");
            case TIME -> nodes.objectNode().put("type", "long").put("logicalType", "timestamp-millis");
        };
    }

    /** As a table in Markdown. */
    public String markdown() {
        StringBuilder text = new StringBuilder("| column | type | |\n|---|---|---|\n");
        for (Column column : columns) {
            text.append("| `")
                    .append(column.name())
                    .append("` | ")
                    .append(column.type().words())
                    .append(column.optional() ? ", or none" : "")
                    .append(" | ")
                    .append(column.doc())
                    .append(" |\n");
        }
        return text.toString();
    }
}
