package dev.plimsoll.app.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.plimsoll.app.HttpServerSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;

/**
 * A registry that is written to, by the rules of Confluent's: schemas under given ids only in the mode IMPORT, which a subject with
 * versions is let into by force alone; an id is never given another schema. What stands in it can be read from its fields.
 */
public final class FakeRegistry implements AutoCloseable {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** One version of a subject. */
    public record Version(int id, String schema) {}

    final Map<String, TreeMap<Integer, Version>> subjects = new TreeMap<>();
    final Map<String, String> modes = new HashMap<>();
    final Map<String, String> compatibilities = new HashMap<>();

    /** {@code POST /subjects/…}, in order. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    boolean mutableModes = true;
    boolean deletesModes = true;
    boolean hasModes = true;
    /** As registries do that know nothing of given ids. */
    boolean countsIds;

    Optional<Integer> failsAt = Optional.empty();
    Optional<String> authorization = Optional.empty();

    private final HttpServer server;
    private final String scheme;

    public FakeRegistry() {
        this(Optional.empty());
    }

    public FakeRegistry(Optional<SSLContext> tls) {
        HttpServerSettings.apply();
        try {
            InetSocketAddress address = new InetSocketAddress("127.0.0.1", 0);
            if (tls.isPresent()) {
                HttpsServer secured = HttpsServer.create(address, 16);
                secured.setHttpsConfigurator(new HttpsConfigurator(tls.orElseThrow()));
                server = secured;
            } else {
                server = HttpServer.create(address, 16);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        scheme = tls.isPresent() ? "https" : "http";
        server.createContext("/", this::exchange);
        server.start();
    }

    public String url() {
        return scheme + "://127.0.0.1:" + server.getAddress().getPort();
    }

    public List<String> writes() {
        return requests.stream().filter(request -> !request.startsWith("GET ")).toList();
    }

    public Map<String, TreeMap<Integer, Version>> subjects() {
        return subjects;
    }

    /** Ids of a subject's versions, in order. */
    List<Integer> ids(String subject) {
        return subjects.getOrDefault(subject, new TreeMap<>()).values().stream()
                .map(Version::id)
                .toList();
    }

    /** Refuses who does not send this. */
    public void onlyFor(String header) {
        authorization = Optional.of(header);
    }

    public void put(String subject, int version, int id, String schema) {
        subjects.computeIfAbsent(subject, name -> new TreeMap<>()).put(version, new Version(id, schema));
    }

    private void exchange(HttpExchange exchange) throws IOException {
        try (exchange) {
            String request = exchange.getRequestMethod() + " " + exchange.getRequestURI();
            requests.add(request);
            byte[] body = exchange.getRequestBody().readAllBytes();
            Answer answer = authorization.isPresent()
                            && !authorization.equals(Optional.ofNullable(
                                    exchange.getRequestHeaders().getFirst("Authorization")))
                    ? Answer.error(401, "Unauthorized")
                    : answer(exchange, body.length == 0 ? JSON.missingNode() : new ObjectMapper().readTree(body));
            byte[] bytes = answer.body().toString().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status(), bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private synchronized Answer answer(HttpExchange exchange, JsonNode body) {
        List<String> path =
                Arrays.asList(exchange.getRequestURI().getPath().substring(1).split("/"));
        boolean force = "force=true".equals(exchange.getRequestURI().getQuery());
        return switch (exchange.getRequestMethod() + " " + path.get(0) + " " + path.size()) {
            case "GET schemas 3" -> schema(Integer.parseInt(path.get(2)));
            case "GET schemas 4" -> filed(Integer.parseInt(path.get(2)));
            case "GET subjects 3" -> versions(path.get(1));
            case "GET subjects 4" -> version(path.get(1), Integer.parseInt(path.get(3)));
            case "POST subjects 3" -> register(path.get(1), body);
            case "GET mode 1" -> hasModes ? mode("READWRITE") : Answer.error(404, "HTTP 404 Not Found");
            case "GET mode 2" ->
                modes.containsKey(path.get(1))
                        ? mode(modes.get(path.get(1)))
                        : Answer.error(40409, "Subject does not have subject-level mode configured");
            case "PUT mode 2" -> setMode(path.get(1), body.path("mode").asText(), force);
            case "DELETE mode 2" -> deleteMode(path.get(1));
            case "PUT config 2" -> {
                compatibilities.put(path.get(1), body.path("compatibility").asText());
                yield Answer.of(body);
            }
            default -> Answer.error(404, "HTTP 404 Not Found");
        };
    }

    private Optional<String> held(int id) {
        return subjects.values().stream()
                .flatMap(versions -> versions.values().stream())
                .filter(version -> version.id() == id)
                .map(Version::schema)
                .findFirst();
    }

    private Answer schema(int id) {
        return held(id).map(schema -> Answer.of(JSON.objectNode().put("schema", schema)))
                .orElseGet(() -> Answer.error(40403, "Schema " + id + " not found"));
    }

    private Answer filed(int id) {
        ArrayNode filed = JSON.arrayNode();
        subjects.forEach((subject, versions) -> versions.forEach((number, version) -> {
            if (version.id() == id) {
                filed.addObject().put("subject", subject).put("version", number);
            }
        }));
        return Answer.of(filed);
    }

    private Answer versions(String subject) {
        if (!subjects.containsKey(subject)) {
            return Answer.error(40401, "Subject '" + subject + "' not found.");
        }
        ArrayNode versions = JSON.arrayNode();
        subjects.get(subject).keySet().forEach(versions::add);
        return Answer.of(versions);
    }

    private Answer version(String subject, int number) {
        Version version = subjects.getOrDefault(subject, new TreeMap<>()).get(number);
        return version == null
                ? Answer.error(40402, "Version " + number + " not found.")
                : Answer.of(JSON.objectNode()
                        .put("subject", subject)
                        .put("version", number)
                        .put("id", version.id())
                        .put("schema", version.schema()));
    }

    private Answer register(String subject, JsonNode body) {
        int id = body.path("id").asInt(-1);
        if (countsIds) {
            id = 1 + subjects.values().stream().mapToInt(Map::size).sum();
        } else if (!"IMPORT".equals(modes.get(subject))) {
            return Answer.error(42205, "Subject " + subject + " in context . is not in import mode");
        } else if (failsAt.isPresent() && failsAt.orElseThrow() == id) {
            return Answer.error(50001, "Register schema operation failed while writing to the Kafka store");
        }
        String schema = body.path("schema").asText();
        if (held(id).filter(other -> !other.equals(schema)).isPresent()) {
            return Answer.error(42205, "Overwrite new schema with id " + id + " in context . is not permitted.");
        }
        put(subject, body.path("version").asInt(), id, schema);
        return Answer.of(JSON.objectNode().put("id", id));
    }

    private Answer setMode(String subject, String mode, boolean force) {
        if (!mutableModes) {
            return Answer.error(42205, "Mode changes are not allowed");
        }
        if (mode.equals("IMPORT") && !"IMPORT".equals(modes.get(subject)) && !force && subjects.containsKey(subject)) {
            return Answer.error(42205, "Cannot import since found existing subjects");
        }
        modes.put(subject, mode);
        return mode(mode);
    }

    private Answer deleteMode(String subject) {
        if (!deletesModes) {
            return Answer.error(405, "HTTP 405 Method Not Allowed");
        }
        String mode = modes.remove(subject);
        return mode == null ? Answer.error(40401, "Subject '" + subject + "' not found.") : mode(mode);
    }

    private static Answer mode(String mode) {
        return Answer.of(JSON.objectNode().put("mode", mode));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
