package dev.plimsoll.app.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.plimsoll.app.registry.Catalogue.Subject;
import dev.plimsoll.wire.WireSchema;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The read side of the REST API of Confluent's Schema Registry, over the schemas in the jar. A function of its request, for any thread.
 *
 * <p>Looking up whether a subject has a schema is a POST and a read: Kafka Connect asks so for every schema that it meets. What would
 * change something is refused as a registry in its mode {@code READONLY} does. Contexts are unknown, but for the name of the default one.
 *
 * @see <a href="https://docs.confluent.io/platform/current/schema-registry/develop/api.html">Schema Registry API Reference</a>
 */
final class RegistryApi {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final ObjectMapper READER = new ObjectMapper();
    private static final String DEFAULT_CONTEXT = ":.:";
    private static final String EVERY_CONTEXT = ":*:";
    private static final int LATEST = -1;

    /** One kind of request; a part of the path in braces may be anything and goes by that name. */
    private record Route(String method, List<String> path, Function<Asked, Answer> answer) {
        Optional<Map<String, String>> match(List<String> asked) {
            if (asked.size() != path.size()) {
                return Optional.empty();
            }
            Map<String, String> variables = new HashMap<>();
            for (int i = 0; i < path.size(); i++) {
                String part = path.get(i);
                if (part.startsWith("{")) {
                    variables.put(part.substring(1, part.length() - 1), asked.get(i));
                } else if (!part.equals(asked.get(i))) {
                    return Optional.empty();
                }
            }
            return Optional.of(variables);
        }
    }

    private record Asked(Question question, Map<String, String> variables) {
        String subject() {
            String name = variables.getOrDefault("subject", "");
            return name.startsWith(DEFAULT_CONTEXT) ? name.substring(DEFAULT_CONTEXT.length()) : name;
        }

        String variable(String name) {
            return variables.getOrDefault(name, "");
        }
    }

    private final Catalogue catalogue;
    private final List<Route> routes;

    RegistryApi(Catalogue catalogue) {
        this.catalogue = catalogue;
        this.routes = List.of(
                route("GET", "/", asked -> Answer.of(JSON.objectNode())),
                route("GET", "/contexts", asked -> Answer.of(JSON.arrayNode().add("."))),
                route("GET", "/schemas", this::schemas),
                route(
                        "GET",
                        "/schemas/types",
                        asked -> Answer.of(JSON.arrayNode().add("AVRO"))),
                route("GET", "/schemas/ids/{id}", asked -> ofId(asked, schema -> schemaString(asked, schema))),
                route("GET", "/schemas/ids/{id}/schema", asked -> ofId(asked, schema -> parsed(schema.json()))),
                route("GET", "/schemas/ids/{id}/subjects", asked -> ofId(asked, this::subjectsOf)),
                route("GET", "/schemas/ids/{id}/versions", asked -> ofId(asked, this::versionsOf)),
                route("GET", "/subjects", this::subjects),
                route("POST", "/subjects/{subject}", this::lookUp),
                route("GET", "/subjects/{subject}/versions", this::versions),
                route("GET", "/subjects/{subject}/versions/{version}", asked -> version(asked, RegistryApi::whole)),
                route(
                        "GET",
                        "/subjects/{subject}/versions/{version}/schema",
                        asked -> version(asked, schema -> parsed(schema.json()))),
                route(
                        "GET",
                        "/subjects/{subject}/versions/{version}/referencedby",
                        asked -> version(asked, schema -> JSON.arrayNode())),
                route("GET", "/config", asked -> Answer.of(compatibility(Catalogue.COMPATIBLE))),
                route("GET", "/config/{subject}", this::config),
                route("GET", "/mode", asked -> mode()),
                route("GET", "/mode/{subject}", this::mode),
                refused("POST", "/subjects/{subject}/versions"),
                refused("DELETE", "/subjects/{subject}"),
                refused("DELETE", "/subjects/{subject}/versions/{version}"),
                refused("PUT", "/config"),
                refused("DELETE", "/config"),
                refused("PUT", "/config/{subject}"),
                refused("DELETE", "/config/{subject}"),
                refused("PUT", "/mode"),
                refused("DELETE", "/mode"),
                refused("PUT", "/mode/{subject}"),
                refused("DELETE", "/mode/{subject}"));
    }

    private static Route route(String method, String path, Function<Asked, Answer> answer) {
        return new Route(
                method,
                Stream.of(path.split("/")).filter(part -> !part.isEmpty()).toList(),
                answer);
    }

    private static Route refused(String method, String path) {
        return route(
                method,
                path,
                asked -> Answer.error(
                        42205,
                        (asked.subject().isEmpty() ? "This registry" : "Subject " + asked.subject())
                                + " is in read-only mode: its schemas and their ids are fixed in Plimsoll's jar;"
                                + " 'plimsoll schemas register' takes them to a registry that is written to"));
    }

    /** What is said to a request; HEAD is asked as GET is. */
    Answer answer(Question question) {
        String method = question.method().equals("HEAD") ? "GET" : question.method();
        Set<String> allowed = new TreeSet<>();
        for (Route route : routes) {
            Optional<Map<String, String>> variables = route.match(question.path());
            if (variables.isPresent()) {
                if (route.method().equals(method)) {
                    return route.answer().apply(new Asked(question, variables.orElseThrow()));
                }
                allowed.add(route.method());
            }
        }
        return allowed.isEmpty() ? Answer.error(404, "HTTP 404 Not Found") : Answer.notAllowed(allowed);
    }

    private Answer ofId(Asked asked, Function<WireSchema, JsonNode> answer) {
        Optional<Integer> id = Question.parsed(asked.variable("id"));
        if (id.isEmpty()) {
            return Answer.error(404, "HTTP 404 Not Found");
        }
        return catalogue
                .schema(id.orElseThrow())
                .map(schema -> Answer.of(answer.apply(schema)))
                .orElseGet(() -> Answer.error(40403, "Schema " + id.orElseThrow() + " not found"));
    }

    private JsonNode schemaString(Asked asked, WireSchema schema) {
        ObjectNode answer = JSON.objectNode().put("schema", schema.json());
        if (asked.question().says("fetchMaxId")) {
            answer.put("maxId", catalogue.newest());
        }
        return answer;
    }

    private JsonNode subjectsOf(WireSchema schema) {
        ArrayNode subjects = JSON.arrayNode();
        catalogue.filed(schema.id()).forEach(filed -> subjects.add(filed.subject()));
        return subjects;
    }

    private JsonNode versionsOf(WireSchema schema) {
        ArrayNode versions = JSON.arrayNode();
        catalogue
                .filed(schema.id())
                .forEach(filed ->
                        versions.addObject().put("subject", filed.subject()).put("version", filed.version()));
        return versions;
    }

    private Answer schemas(Asked asked) {
        boolean latestOnly = asked.question().says("latestOnly");
        return page(
                asked,
                withPrefix(asked)
                        .flatMap(subject -> latestOnly ? Stream.of(newest(subject)) : subject.versions().stream())
                        .map(RegistryApi::whole));
    }

    private Answer subjects(Asked asked) {
        // Nothing was ever deleted.
        return page(
                asked,
                asked.question().says("deletedOnly")
                        ? Stream.of()
                        : withPrefix(asked).map(subject -> TextNode.valueOf(subject.name())));
    }

    private Stream<Subject> withPrefix(Asked asked) {
        String wanted = asked.question().text("subjectPrefix");
        String prefix = wanted.startsWith(DEFAULT_CONTEXT) || wanted.startsWith(EVERY_CONTEXT)
                ? wanted.substring(DEFAULT_CONTEXT.length())
                : wanted;
        return catalogue.subjects().stream().filter(subject -> subject.name().startsWith(prefix));
    }

    private static Answer page(Asked asked, Stream<? extends JsonNode> all) {
        int limit = asked.question().number("limit", -1);
        ArrayNode page = JSON.arrayNode();
        all.skip(Math.max(0, asked.question().number("offset", 0)))
                .limit(limit < 0 ? Long.MAX_VALUE : limit)
                .forEach(page::add);
        return Answer.of(page);
    }

    private Answer versions(Asked asked) {
        return ofSubject(asked, subject -> {
            boolean deletedOnly = asked.question().says("deletedOnly");
            return page(
                    asked,
                    subject.versions().stream()
                            .filter(schema -> !deletedOnly)
                            .map(schema -> JSON.numberNode(schema.version())));
        });
    }

    private Answer version(Asked asked, Function<WireSchema, JsonNode> answer) {
        String wanted = asked.variable("version").trim();
        int number = wanted.equalsIgnoreCase("latest")
                ? LATEST
                : Question.parsed(wanted).orElse(0);
        if (number < LATEST || number == 0) {
            return Answer.error(
                    42202,
                    "The specified version '" + wanted + "' is not a valid version id. Allowed values are between"
                            + " [1, 2^31-1] and the string \"latest\"");
        }
        return ofSubject(asked, subject -> {
            if (number > subject.versions().size()) {
                return Answer.error(40402, "Version " + number + " not found.");
            }
            return Answer.of(answer.apply(
                    number == LATEST ? newest(subject) : subject.versions().get(number - 1)));
        });
    }

    private static WireSchema newest(Subject subject) {
        return subject.versions().get(subject.versions().size() - 1);
    }

    private Answer ofSubject(Asked asked, Function<Subject, Answer> answer) {
        return catalogue
                .subject(asked.subject())
                .map(answer)
                .orElseGet(() -> Answer.error(40401, "Subject '" + asked.subject() + "' not found."));
    }

    private Answer lookUp(Asked asked) {
        JsonNode request = asked.question()
                .bodyText()
                .map(RegistryApi::parsed)
                .filter(JsonNode::isObject)
                .orElse(JSON.missingNode());
        if (request.isMissingNode()) {
            return Answer.error(400, "the body is not a JSON object, such as {\"schema\": \"…\"}");
        }
        String json = request.path("schema").asText("");
        return ofSubject(asked, subject -> {
            if (!request.path("schemaType").asText("AVRO").equals("AVRO")) {
                return schemaNotFound();
            }
            try {
                return WireSchema.find(subject.versions(), json)
                        .map(schema -> Answer.of(whole(schema)))
                        .orElseGet(RegistryApi::schemaNotFound);
            } catch (IllegalArgumentException e) {
                return Answer.error(42201, "Invalid schema: " + e.getMessage());
            }
        });
    }

    private static Answer schemaNotFound() {
        return Answer.error(40403, "Schema not found");
    }

    private Answer config(Asked asked) {
        return catalogue
                .subject(asked.subject())
                .map(subject -> Answer.of(compatibility(subject.compatibility())))
                .orElseGet(() -> asked.question().says("defaultToGlobal")
                        ? Answer.of(compatibility(Catalogue.COMPATIBLE))
                        : Answer.error(
                                40408,
                                "Subject '" + asked.subject()
                                        + "' does not have subject-level compatibility configured"));
    }

    private Answer mode(Asked asked) {
        if (catalogue.subject(asked.subject()).isPresent() || asked.question().says("defaultToGlobal")) {
            return mode();
        }
        return Answer.error(40409, "Subject '" + asked.subject() + "' does not have subject-level mode configured");
    }

    private static Answer mode() {
        return Answer.of(JSON.objectNode().put("mode", "READONLY"));
    }

    private static JsonNode compatibility(String level) {
        return JSON.objectNode().put("compatibilityLevel", level);
    }

    private static JsonNode whole(WireSchema schema) {
        return JSON.objectNode()
                .put("subject", schema.subject())
                .put("version", schema.version())
                .put("id", schema.id())
                .put("schema", schema.json());
    }

    /** Of what is no JSON the missing node. */
    private static JsonNode parsed(String json) {
        try {
            return READER.readTree(json);
        } catch (JsonProcessingException e) {
            return JSON.missingNode();
        }
    }
}
