package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.LongVector;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
                assertThat(type.getType()).as(path).isNotIn(Schema.Type.MAP, Schema.Type.FIXED);
                if (type.getType() == Schema.Type.FLOAT) {
                    // One for every move: half of a double's bytes are enough digits for people.
                    assertThat(path).isEqualTo("PlanCommand.reasons.gains");
                }
                if (type.getType() == Schema.Type.BYTES) {
                    // A window's load is a list that every tool shows; its parts are packed, seven eighths of it.
                    assertThat(path).isIn("LoadSample.counters", "LoadWindow.subPacked");
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
        for (String name : schemas().keySet()) {
            List<SchemaTable.Entry> entries = SchemaTable.of(name);
            entries.forEach(entry ->
                    assertThat(ids.add(entry.id())).as("id " + entry.id()).isTrue());
            List<Schema> released = released().stream()
                    .filter(schema -> schema.getName().equals(name))
                    .toList();
            assertThat(entries).extracting(SchemaTable.Entry::schema).containsExactlyElementsOf(released);
            Schema newest = entries.get(entries.size() - 1).schema();
            for (Schema schema : released) {
                assertReadable(newest, schema);
                if (!BACKWARD_ONLY.contains(name)) {
                    assertReadable(schema, newest);
                }
            }
        }
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
        int same = 0;
        for (String release : List.of("v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9")) {
            for (String line : golden("/golden/" + release + ".tsv")) {
                same += means(line);
            }
        }
        assertThat(same).as("a record of every kind as it is written today").isEqualTo(RandomValues.KINDS.size());
    }

    private static List<String> golden(String name) throws Exception {
        return Files.readAllLines(resource(name), StandardCharsets.UTF_8);
    }

    /** 1 where the bytes are what is written today, 0 where fields have come since. */
    private static int means(String line) throws Exception {
        String[] columns = line.split("\t", -1);
        Topic<?> topic = Topic.all().stream()
                .filter(candidate -> candidate.name().equals(columns[0]))
                .findFirst()
                .orElseThrow();
        return assertMeans(topic, HexFormat.of().parseHex(columns[1]), columns[2]);
    }

    private static <T> int assertMeans(Topic<T> topic, byte[] bytes, String json) throws Exception {
        T value = topic.decode(bytes);
        if (value instanceof AggregatorState.Whole whole && !whole.sequences().isEmpty()) {
            assertFirstReleasesState(whole);
            return 0;
        }
        byte[] written = topic.encode(value);
        if (ByteBuffer.wrap(written).getInt(1) == ByteBuffer.wrap(bytes).getInt(1)) {
            assertThat(topic.json(value)).isEqualTo(json);
            assertThat(written).isEqualTo(bytes);
            return 1;
        }
        // Of an earlier version of the schema: it says what it said, and nothing in the fields that came later.
        assertThat(topic.decode(written)).isEqualTo(value);
        JsonNode now = new ObjectMapper().readTree(topic.json(value));
        JsonNode then = new ObjectMapper().readTree(json);
        withoutLaterFields(now, then);
        assertThat(now).isEqualTo(then);
        return 0;
    }

    /** Takes away what {@code then} has not, in which nothing may be said. */
    private static void withoutLaterFields(JsonNode now, JsonNode then) {
        if (now instanceof ObjectNode fields && then.isObject()) {
            fields.properties().stream()
                    .filter(field -> !then.has(field.getKey()))
                    .forEach(field ->
                            assertThat(field.getValue()).as(field.getKey()).isEmpty());
            fields.retain(then.properties().stream().map(Map.Entry::getKey).toList());
            then.properties().forEach(field -> withoutLaterFields(fields.path(field.getKey()), field.getValue()));
        }
        for (int i = 0; i < Math.min(now.size(), then.size()) && now.isArray(); i++) {
            withoutLaterFields(now.get(i), then.get(i));
        }
    }

    /** Read for ever, but not written any more: deployments have records of their own. */
    private static void assertFirstReleasesState(AggregatorState.Whole whole) {
        assertThat(whole.partition()).isEqualTo(3);
        assertThat(whole.asOf()).isEqualTo(41);
        assertThat(whole.nextInputOffset()).isEqualTo(30);
        assertThat(whole.sequences()).singleElement().satisfies(state -> {
            assertThat(state.members().incarnation()).isEqualTo(7);
            assertThat(state.asOf()).isEqualTo(41);
            assertThat(state.firstOpen()).isEqualTo(5);
            assertThat(state.published()).isEqualTo(LongVector.of(0, 4));
            assertThat(state.endedBy()).isEmpty();
            assertThat(state.truncated()).isTrue();
            assertThat(state.oldestNeeded()).hasValue(30);
            assertThat(state.grownAt()).isEmpty();
            assertThat(state.excluded()).isEqualTo(LongVector.of(33, 35));
            assertThat(state.counts()).isEqualTo(new AggregatorState.Counts(1, 2, 3, 4, 500));
        });
    }

    private static Map<String, Schema> schemas() {
        Map<String, Schema> schemas = new LinkedHashMap<>();
        for (Topic<?> topic : Topic.all()) {
            for (WireSchema schema : topic.schemas()) {
                Schema parsed = new Schema.Parser().parse(schema.json());
                schemas.put(parsed.getName(), parsed);
            }
        }
        assertThat(schemas).hasSize(16);
        return schemas;
    }

    /** All that was ever released, oldest first. */
    private static List<Schema> released() throws IOException, URISyntaxException {
        List<Schema> schemas = new ArrayList<>();
        try (Stream<Path> files = Files.walk(resource("/released"))) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                schemas.add(new Schema.Parser().parse(file.toFile()));
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
