package dev.plimsoll.app.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireSchema;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the registry says, request by request, as Confluent's own says it. */
final class RegistryApiTest {
    private static final String WINDOWS = "/subjects/plimsoll.windows.v1-value";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Catalogue catalogue = new Catalogue();
    private final RegistryApi api = new RegistryApi(catalogue);

    private Answer get(String target) {
        return ask("GET", target, "");
    }

    private Answer ask(String method, String target, String body) {
        int query = target.indexOf('?');
        return api.answer(Question.of(
                method,
                query < 0 ? target : target.substring(0, query),
                query < 0 ? null : target.substring(query + 1),
                body.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void everySchemaOfEveryTopicIsServedByTheIdThatItsRecordsCarry() throws Exception {
        int schemas = 0;
        for (Topic<?> topic : Topic.all()) {
            for (WireSchema schema : topic.schemas()) {
                JsonNode served = get("/schemas/ids/" + schema.id()).body();

                assertThat(JSON.readTree(served.get("schema").asText())).isEqualTo(JSON.readTree(schema.json()));
                assertThat(get("/schemas/ids/" + schema.id() + "/schema").body())
                        .isEqualTo(JSON.readTree(schema.json()));
                schemas++;
            }
        }
        assertThat(schemas).isGreaterThan(19);
    }

    @Test
    void everyTopicHasItsSchemasWhereClientsLookThatWereToldNothing() {
        for (Topic<?> topic : Topic.all()) {
            JsonNode versions =
                    get("/subjects/" + topic.name() + "-value/versions").body();

            assertThat(versions).hasSameSizeAs(topic.schemas());
            Set<Integer> ids = new HashSet<>();
            for (int version = 1; version <= versions.size(); version++) {
                JsonNode schema = get("/subjects/" + topic.name() + "-value/versions/" + version)
                        .body();
                assertThat(schema.get("version").asInt()).isEqualTo(version);
                assertThat(schema.get("subject").asText()).isEqualTo(topic.name() + "-value");
                ids.add(schema.get("id").asInt());
            }
            assertThat(ids)
                    .isEqualTo(new HashSet<>(
                            topic.schemas().stream().map(WireSchema::id).toList()));
        }
    }

    @Test
    void aKindOfRecordAmongSeveralHasASubjectOfItsOwnToo() {
        assertThat(texts(get("/schemas/ids/170026/subjects").body()))
                .containsExactly("plimsoll.samples.v1-dev.plimsoll.wire.LoadSample", "plimsoll.samples.v1-value");
        assertThat(get("/schemas/ids/170026/versions").body())
                .hasToString("[{\"subject\":"
                        + "\"plimsoll.samples.v1-dev.plimsoll.wire.LoadSample\",\"version\":2},"
                        + "{\"subject\":\"plimsoll.samples.v1-value\",\"version\":5}]");
        assertThat(texts(get("/schemas/ids/170002/subjects").body()))
                .as("a membership stands in two topics")
                .containsExactly(
                        "plimsoll.members.v1-value",
                        "plimsoll.samples.v1-dev.plimsoll.wire.Membership",
                        "plimsoll.samples.v1-value");
    }

    @Test
    void subjectsAreListedByPrefixAndPage() {
        List<String> all = texts(get("/subjects").body());

        assertThat(all).isSorted().hasSize(catalogue.subjects().size());
        assertThat(texts(get("/subjects?deleted=true").body())).isEqualTo(all);
        assertThat(texts(get("/subjects/?subjectPrefix=:*:plimsoll.w").body()))
                .isEqualTo(texts(get("/subjects?subjectPrefix=plimsoll.w").body()))
                .containsExactly("plimsoll.window-summaries.v1-value", "plimsoll.windows.v1-value");
        assertThat(texts(get("/subjects?offset=1&limit=2").body())).isEqualTo(all.subList(1, 3));
        assertThat(texts(get("/subjects?limit=x&offset=-9").body())).isEqualTo(all);
        assertThat(get("/subjects?deletedOnly=true").body()).isEmpty();
        assertThat(get(WINDOWS + "/versions?deletedOnly=true").body()).isEmpty();
    }

    @Test
    void schemasAreListedWithWhereTheyAreFiled() {
        assertThat(get("/schemas").body())
                .hasSize(catalogue.subjects().stream()
                        .mapToInt(subject -> subject.versions().size())
                        .sum());
        assertThat(get("/schemas?latestOnly=true").body())
                .hasSize(catalogue.subjects().size());
        assertThat(get("/schemas?latestOnly=true&subjectPrefix=plimsoll.windows")
                        .body()
                        .get(0)
                        .get("id")
                        .asInt())
                .isEqualTo(170024);
    }

    @Test
    void theNewestVersionIsCalledLatest() {
        for (String latest : List.of("latest", "LATEST", "-1")) {
            assertThat(get(WINDOWS + "/versions/" + latest).body().get("id").asInt())
                    .isEqualTo(170024);
        }
        assertThat(get(WINDOWS + "/versions/latest/schema").body().get("name").asText())
                .isEqualTo("LoadWindow");
        assertThat(get(WINDOWS + "/versions/1/referencedby").body()).isEmpty();
        assertThat(get("/subjects/:.:plimsoll.windows.v1-value/versions/1").body())
                .as("in the default context")
                .isEqualTo(get(WINDOWS + "/versions/1").body());
    }

    @Test
    void whatIsAskedBeforeAnythingElseIsAnswered() {
        assertThat(get("/").body()).hasToString("{}");
        assertThat(get("/schemas/types").body()).hasToString("[\"AVRO\"]");
        assertThat(get("/contexts").body()).hasToString("[\".\"]");
        assertThat(get("/mode").body()).hasToString("{\"mode\":\"READONLY\"}");
        assertThat(get("/mode/plimsoll.plan.v1-value").body()).hasToString("{\"mode\":\"READONLY\"}");
        assertThat(get("/config").body()).hasToString("{\"compatibilityLevel\":\"FULL_TRANSITIVE\"}");
        assertThat(get("/schemas/ids/170001?fetchMaxId=true&subject=x")
                        .body()
                        .get("maxId")
                        .asInt())
                .isEqualTo(catalogue.newest());
    }

    @ParameterizedTest
    @CsvSource({
        "plimsoll.plan.v1-value, FULL_TRANSITIVE",
        "plimsoll.samples.v1-value, NONE",
        "plimsoll.samples.v1-dev.plimsoll.wire.LoadSample, BACKWARD_TRANSITIVE",
        "plimsoll.aggregator-state.v1-dev.plimsoll.wire.PartitionState, FULL_TRANSITIVE"
    })
    void aSubjectSaysHowItsVersionsGoTogether(String subject, String level) {
        assertThat(get("/config/" + subject).body().get("compatibilityLevel").asText())
                .isEqualTo(level);
    }

    @ParameterizedTest
    @CsvSource({
        "/schemas/ids/1, 404, 40403",
        "/schemas/ids/2147483647/versions, 404, 40403",
        "/schemas/ids/2147483648, 404, 404",
        "/schemas/ids/abc, 404, 404",
        "/schemas/ids, 404, 404",
        "/subjects/orders-value/versions, 404, 40401",
        "/subjects/orders-value/versions/1, 404, 40401",
        "/subjects/orders-value/versions/none, 422, 42202",
        "/subjects/plimsoll.windows.v1-value/versions/99, 404, 40402",
        "/subjects/plimsoll.windows.v1-value/versions/0, 422, 42202",
        "/subjects/plimsoll.windows.v1-value/versions/-2, 422, 42202",
        "/subjects/plimsoll.windows.v1-value/versions/two/schema, 422, 42202",
        "/config/orders-value, 404, 40408",
        "/mode/orders-value, 404, 40409",
        "/nothing, 404, 404",
        "/subjects/plimsoll.windows.v1-value, 405, 405"
    })
    void whatIsNotThereIsSaidByTheApisOwnNumbers(String target, int status, int code) {
        Answer answer = get(target);

        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.body().get("error_code").asInt()).isEqualTo(code);
        assertThat(answer.body().get("message").asText()).isNotBlank();
    }

    @Test
    void clientsMayFallBackToWhatHoldsForAll() {
        assertThat(get("/config/orders-value?defaultToGlobal=true").status()).isEqualTo(200);
        assertThat(get("/mode/orders-value?defaultToGlobal=TRUE").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /subjects/plimsoll.windows.v1-value/versions, 42205",
        "DELETE, /subjects/plimsoll.windows.v1-value, 42205",
        "DELETE, /subjects/plimsoll.windows.v1-value/versions/1, 42205",
        "PUT, /config, 42205",
        "DELETE, /config/plimsoll.windows.v1-value, 42205",
        "PUT, /mode/plimsoll.windows.v1-value, 42205",
        "PUT, /subjects, 405",
        "PATCH, /schemas/ids/170001, 405",
        "OPTIONS, /subjects, 405",
        "BREW, /, 405",
        "get, /, 405"
    })
    void whatWouldChangeSomethingIsRefused(String method, String target, int code) {
        Answer answer = ask(method, target, "{\"schema\":\"\\\"string\\\"\"}");

        assertThat(answer.body().get("error_code").asInt()).isEqualTo(code);
        assertThat(answer.status()).isEqualTo(code == 405 ? 405 : 422);
        assertThat(answer.allowed().isEmpty()).isEqualTo(code != 405);
    }

    @Test
    void aSchemaIsFoundByItsTextAsConnectAsksForIt() throws Exception {
        for (Topic<?> topic : Topic.all()) {
            for (WireSchema schema : topic.schemas()) {
                Answer answer = lookUp(topic.name() + "-value", schema.json());

                assertThat(answer.status()).as(schema.toString()).isEqualTo(200);
                assertThat(answer.body().get("id").asInt()).isEqualTo(schema.id());
                assertThat(answer.body().get("version").asInt()).isPositive();
            }
        }
    }

    @Test
    void aSchemaIsFoundInAClientsOwnWritingOfIt() {
        String dense = "{\"fields\":[{\"type\":\"string\",\"default\":\"\",\"name\":\"summary\"},"
                + "{\"name\":\"deployment\",\"type\":{\"type\":\"string\"}}],"
                + "\"type\":\"record\",\"name\":\"dev.plimsoll.wire.Tick\"}";

        assertThat(lookUp("plimsoll.samples.v1-value", dense).body().get("id").asInt())
                .isEqualTo(170003);
    }

    @Test
    void aSchemaThatASubjectHasNotIsNotFound() {
        String tick = catalogue.schema(170003).orElseThrow().json();

        assertThat(code(lookUp("plimsoll.windows.v1-value", tick))).isEqualTo(40403);
        assertThat(code(lookUp("orders-value", tick))).isEqualTo(40401);
        assertThat(code(lookUp("plimsoll.windows.v1-value", "{\"type\":\"rekord\"}")))
                .isEqualTo(42201);
        assertThat(code(lookUp("plimsoll.windows.v1-value", ""))).isEqualTo(42201);
        for (String body : List.of("", "[]", "{", "\"x\"", "\u0000")) {
            assertThat(code(ask("POST", "/subjects/plimsoll.windows.v1-value", body)))
                    .as(body)
                    .isEqualTo(400);
        }
        assertThat(code(ask(
                        "POST",
                        "/subjects/plimsoll.samples.v1-value",
                        "{\"schemaType\":\"PROTOBUF\",\"schema\":\"syntax = 3;\"}")))
                .isEqualTo(40403);
    }

    private Answer lookUp(String subject, String schema) {
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("schema", schema);
        return ask("POST", "/subjects/" + subject + "?normalize=false&deleted=true", body.toString());
    }

    private static int code(Answer answer) {
        return answer.body().get("error_code").asInt();
    }

    /** Whatever stands in a path or a body, there is an answer of JSON with a status that says whose fault it is. */
    @Test
    void noRequestIsLeftWithoutAnAnswer() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String[] pieces = {
            "/",
            "//",
            "schemas",
            "ids",
            "subjects",
            "versions",
            "latest",
            "-1",
            "%2F",
            "%00",
            "+",
            "..",
            ".",
            ":.:",
            ":*:",
            "170001",
            "plimsoll.windows.v1-value",
            "config",
            "mode",
            "?",
            "&",
            "=",
            "deleted=true",
            "limit=",
            "offset=99999999999",
            "%E2%82%AC",
            "{subject}",
            "\"",
            "schema",
            "9".repeat(30),
            "é"
        };
        String[] methods = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", ""};
        String[] bodies = {
            "", "{}", "{\"schema\":1}", "{\"schema\":\"[[[[\"}", "{\"schema\":\"" + "[".repeat(5_000) + "\"}"
        };
        List<Integer> seen = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            StringBuilder target = new StringBuilder("/");
            for (int piece = random.nextInt(7); piece > 0; piece--) {
                target.append(pieces[random.nextInt(pieces.length)]).append(random.nextBoolean() ? "/" : "");
            }

            Answer answer = ask(
                    methods[random.nextInt(methods.length)], target.toString(), bodies[random.nextInt(bodies.length)]);

            assertThat(answer.status()).as("seed %d: %s", seed, target).isIn(200, 400, 404, 405, 422);
            assertThat(answer.status() == 200 || answer.body().has("error_code"))
                    .as("seed %d: %s", seed, target)
                    .isTrue();
            seen.add(answer.status());
        }
        assertThat(seen).as("seed %d", seed).contains(200, 404, 405, 422);
    }

    @Test
    void whatIsNotPercentEncodedTextIsRefused() {
        for (String path : List.of("/subjects/%ff", "/subjects/%C3%28")) {
            assertThat(catchThrowable(() -> get(path))).as(path).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(get("/subjects/a%2Fb+c/versions").body().get("message").asText())
                .contains("'a/b+c'");
    }

    private static List<String> texts(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asText)
                .toList();
    }
}
