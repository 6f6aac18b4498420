package dev.plimsoll.app.docs;

import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.avro.Schema;

/**
 * The tables of {@code deploy/flink/tables.sql}, made from the schemas: one for each topic with one kind of records.
 *
 * <p>Flink derives the schema that it reads with from a table's columns, with texts where we have enums, which Avro does not resolve. So
 * each table names the schema too, without its documentation.
 */
final class FlinkTables {
    private static final String HEAD = """
            -- The topics as tables of Flink SQL: made from the schemas, by GeneratedPagesTest. The topics of several kinds of records (samples,
            -- aggregator-state) are none. What each column means is said by 'plimsoll schemas show RECORD'.
            --
            -- Needs flink-sql-connector-kafka and flink-sql-avro-confluent-registry on Flink's class path, Kafka at localhost:9092 and the
            -- registry of 'plimsoll up' or 'plimsoll registry' at http://localhost:8081.
            """;

    private FlinkTables() {}

    static String text() {
        StringBuilder text = new StringBuilder(HEAD);
        for (Topic<?> topic : Topic.all()) {
            Catalogue.Subject subject =
                    new Catalogue().subject(topic.name() + "-value").orElseThrow();
            List<WireSchema> versions = subject.versions();
            WireSchema newest = versions.get(versions.size() - 1);
            if (versions.stream().map(WireSchema::record).distinct().count() == 1) {
                text.append('\n').append(table(topic, newest));
            }
        }
        return text.toString();
    }

    private static String table(Topic<?> topic, WireSchema newest) {
        Schema schema = new Schema.Parser().parse(newest.json());
        List<String> columns = new ArrayList<>(List.of("`record_key` STRING NOT NULL"));
        schema.getFields().forEach(field -> columns.add("`" + field.name() + "` " + type(field.schema())));
        columns.add("`record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL");
        columns.add(
                topic.compacted()
                        ? "PRIMARY KEY (`record_key`) NOT ENFORCED"
                        : "WATERMARK FOR `record_time` AS `record_time` - INTERVAL '5' SECOND");
        List<String> options = new ArrayList<>(List.of(
                "'connector' = '" + (topic.compacted() ? "upsert-kafka" : "kafka") + "'",
                "'topic' = '" + topic.name() + "'",
                "'properties.bootstrap.servers' = 'localhost:9092'",
                "'properties.isolation.level' = 'read_committed'",
                "'key.format' = 'raw'"));
        if (!topic.compacted()) {
            options.addAll(List.of("'key.fields' = 'record_key'", "'scan.startup.mode' = 'earliest-offset'"));
        }
        options.addAll(List.of(
                "'value.format' = 'avro-confluent'",
                "'value.fields-include' = 'EXCEPT_KEY'",
                "'value.avro-confluent.url' = 'http://localhost:8081'",
                "'value.avro-confluent.schema' = '" + bare(schema).replace("'", "''") + "'"));
        return "-- " + topic.description() + "\nCREATE TABLE " + name(topic) + " (\n  " + String.join(",\n  ", columns)
                + "\n) WITH (\n  " + String.join(",\n  ", options) + "\n);\n";
    }

    /** Such as {@code window_summaries}. */
    private static String name(Topic<?> topic) {
        return topic.name()
                .substring(Topic.PREFIX.length())
                .replaceAll("\\.v\\d+$", "")
                .replace('-', '_');
    }

    private static String type(Schema schema) {
        if (schema.getType() == Schema.Type.UNION) {
            return bareType(schema.getTypes().get(1));
        }
        return bareType(schema) + " NOT NULL";
    }

    private static String bareType(Schema schema) {
        return switch (schema.getType()) {
            case RECORD ->
                schema.getFields().stream()
                        .map(field -> "`" + field.name() + "` " + type(field.schema()))
                        .collect(Collectors.joining(", ", "ROW<", ">"));
            case ARRAY -> "ARRAY<" + type(schema.getElementType()) + ">";
            case ENUM, STRING -> "STRING";
            case LONG -> schema.getProp("logicalType") == null ? "BIGINT" : "TIMESTAMP(3)";
            case INT, BOOLEAN, FLOAT, DOUBLE, BYTES -> schema.getType().name().toUpperCase(Locale.ROOT);
            default -> throw new IllegalArgumentException("no type of Flink for " + schema);
        };
    }

    /** Without documentation, which readers have no use for. */
    private static String bare(Schema schema) {
        return schema.toString().replaceAll(",\"doc\":\"(?:[^\"\\\\]|\\\\.)*\"", "");
    }
}
