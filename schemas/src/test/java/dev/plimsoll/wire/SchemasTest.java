package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.junit.jupiter.api.Test;

/** Schemas may only change so that what is stored stays readable. */
final class SchemasTest {
    /** Records of the samples topic are short-lived: old readers of new ones need not be kept. */
    private static final Set<String> BACKWARD_ONLY = Set.of("LoadSample", "Tick", "End");

    @Test
    void everyRecordAndFieldIsDocumented() {
        for (Schema schema : schemas().values()) {
            walk(schema, "", (path, type) -> {
                if (type.getType() == Schema.Type.RECORD || type.getType() == Schema.Type.ENUM) {
                    assertThat(type.getDoc()).as(path).isNotBlank().endsWith(".");
                }
                if (type.getType() == Schema.Type.RECORD) {
                    type.getFields()
                            .forEach(field -> assertThat(field.doc())
                                    .as(path + "." + field.name())
                                    .isNotBlank()
                                    .endsWith("."));
                }
            });
        }
    }

    @Test
    void typesAreThoseThatEveryToolShows() {
        for (Schema schema : schemas().values()) {
            walk(schema, "", (path, type) -> {
                if (type.getType() == Schema.Type.ENUM) {
                    assertThat(type.getEnumDefault()).as(path).isEqualTo("UNKNOWN");
                }
                if (type.getType() == Schema.Type.UNION) {
                    assertThat(type.getTypes()).as(path).hasSize(2);
                    assertThat(type.getTypes().get(0).getType()).as(path).isEqualTo(Schema.Type.NULL);
                }
                if (type.getProp("logicalType") != null) {
                    assertThat(type.getProp("logicalType")).as(path).isEqualTo("timestamp-millis");
                }
                assertThat(type.getType()).as(path).isNotIn(Schema.Type.MAP, Schema.Type.FIXED, Schema.Type.FLOAT);
                if (type.getType() == Schema.Type.BYTES) {
                    assertThat(path).isEqualTo("LoadSample.counters");
                }
            });
        }
    }

    @Test
    void recordsThatPeopleListCarryASummary() {
        schemas()
                .forEach((name, schema) ->
                        assertThat(schema.getField("summary") != null).as(name).isEqualTo(!name.equals("LoadSample")));
    }

    @Test
    void idsAreUniqueAndEveryReleasedSchemaStaysReadable() throws Exception {
        Set<Integer> ids = new HashSet<>();
        for (Map.Entry<String, Schema> released : released().entrySet()) {
            List<SchemaTable.Entry> entries = SchemaTable.of(released.getKey());
            entries.forEach(entry ->
                    assertThat(ids.add(entry.id())).as("id " + entry.id()).isTrue());
            Schema newest = entries.get(entries.size() - 1).schema();
            assertReadable(newest, released.getValue());
            if (!BACKWARD_ONLY.contains(released.getKey())) {
                assertReadable(released.getValue(), newest);
            }
            assertThat(entries).extracting(SchemaTable.Entry::schema).contains(released.getValue());
        }
        assertThat(released().keySet()).containsAll(schemas().keySet());
    }

    private static void assertReadable(Schema reader, Schema writer) {
        assertThat(SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                        .getType())
                .as(reader.getName())
                .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
    }

    /** One record of every kind as it was released: neither an id nor the format nor the meaning changes by accident. */
    @Test
    void releasedBytesMeanWhatTheyMeant() throws Exception {
        List<String> lines = Files.readAllLines(resource("/golden/v1.tsv"), StandardCharsets.UTF_8);
        assertThat(lines).hasSize(RandomValues.KINDS.size());
        for (String line : lines) {
            String[] columns = line.split("\t", -1);
            Topic<?> topic = Topic.all().stream()
                    .filter(candidate -> candidate.name().equals(columns[0]))
                    .findFirst()
                    .orElseThrow();
            assertMeans(topic, HexFormat.of().parseHex(columns[1]), columns[2]);
        }
    }

    private static <T> void assertMeans(Topic<T> topic, byte[] bytes, String json) throws WireException {
        T value = topic.decode(bytes);
        assertThat(topic.json(value)).isEqualTo(json);
        assertThat(topic.encode(value)).isEqualTo(bytes);
    }

    private static Map<String, Schema> schemas() {
        Map<String, Schema> schemas = new LinkedHashMap<>();
        for (Topic<?> topic : Topic.all()) {
            for (WireSchema schema : topic.schemas()) {
                Schema parsed = new Schema.Parser().parse(schema.json());
                schemas.put(parsed.getName(), parsed);
            }
        }
        assertThat(schemas).hasSize(12);
        return schemas;
    }

    private static Map<String, Schema> released() throws IOException, URISyntaxException {
        Map<String, Schema> schemas = new LinkedHashMap<>();
        try (Stream<Path> files = Files.list(resource("/released/v1"))) {
            for (Path file : files.sorted().toList()) {
                Schema schema = new Schema.Parser().parse(file.toFile());
                schemas.put(schema.getName(), schema);
            }
        }
        return schemas;
    }

    private static Path resource(String name) throws URISyntaxException {
        var url = SchemasTest.class.getResource(name);
        assertThat(url).as(name).isNotNull();
        return Path.of(url.toURI());
    }

    private static void walk(Schema schema, String path, BiConsumer<String, Schema> visitor) {
        visitor.accept(path.isEmpty() ? schema.getName() : path, schema);
        switch (schema.getType()) {
            case RECORD ->
                schema.getFields()
                        .forEach(field -> walk(
                                field.schema(),
                                (path.isEmpty() ? schema.getName() : path) + "." + field.name(),
                                visitor));
            case ARRAY -> walk(schema.getElementType(), path, visitor);
            case UNION -> schema.getTypes().forEach(type -> walk(type, path, visitor));
            default -> {}
        }
    }
}
