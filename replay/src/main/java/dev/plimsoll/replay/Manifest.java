package dev.plimsoll.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.format.Given;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * All that a result depends on: with it the same bytes can be made again. It has no time, no machine and no directory of results in it,
 * so that the same replay has the same manifest.
 *
 * @param version of Plimsoll that made the result
 * @param inputs what was read, each with what tells whether it is the same
 */
public record Manifest(String version, ReplayRequest request, Map<String, String> inputs) {
    private static final String FORM = "plimsoll-replay-manifest/1";
    private static final ObjectMapper JSON = new ObjectMapper();

    public Manifest {
        inputs = Map.copyOf(inputs);
    }

    /** As it is written: the same manifest has the same bytes. */
    public byte[] bytes() {
        ObjectNode root = JSON.createObjectNode();
        root.put("form", FORM);
        root.put("version", version);
        put(root, request);
        ObjectNode read = root.putObject("inputs");
        new TreeMap<>(inputs).forEach(read::put);
        return bytes(root);
    }

    /** What was asked for, without what was found: equal for equal requests. */
    public static byte[] bytes(ReplayRequest request) {
        ObjectNode root = JSON.createObjectNode();
        put(root, request);
        return bytes(root);
    }

    private static byte[] bytes(ObjectNode root) {
        DefaultPrettyPrinter lines = new DefaultPrettyPrinter();
        lines.indentObjectsWith(new DefaultIndenter("  ", "\n"));
        lines.indentArraysWith(new DefaultIndenter("  ", "\n"));
        try {
            return (JSON.writer(lines).writeValueAsString(root) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of texts and numbers can be written", e);
        }
    }

    /** SHA-256 of its bytes, in hexadecimal digits. */
    public String hash() {
        return Inputs.sha256(bytes());
    }

    private static void put(ObjectNode root, ReplayRequest request) {
        ObjectNode source = root.putObject("source");
        if (request.source() instanceof HistorySource.OfFile file) {
            source.put("input", file.path().toString());
            file.format().ifPresent(format -> source.put("format", format));
            put(source, file.given());
            file.map().ifPresent(map -> source.put("map", map));
        } else if (request.source() instanceof HistorySource.OfTopics topics) {
            source.put("bootstrapServers", topics.bootstrapServers());
            source.put("deployment", topics.deployment());
            topics.incarnation().ifPresent(incarnation -> source.put("incarnation", incarnation));
            topics.from().ifPresent(from -> source.put("from", from));
            topics.to().ifPresent(to -> source.put("to", to));
            topics.last().ifPresent(last -> source.put("last", last));
            if (topics.ofSamples()) {
                source.put("ofSamples", true);
            }
        }
        request.windowSteps().ifPresent(steps -> root.put("windowSteps", steps));
        root.put("stepTime", request.stepTime().toString());
        request.bytesPerExpert().ifPresent(bytes -> root.put("bytesPerExpert", bytes));
        ArrayNode policies = root.putArray("policies");
        for (PolicyChoice policy : request.policies()) {
            ObjectNode settings =
                    policies.addObject().put("name", policy.name()).putObject("settings");
            policy.allSettings().forEach(settings::put);
        }
        put(root.putArray("ranks"), request.ranks());
        put(root.putArray("redundancy"), request.redundancy());
        put(root.putArray("nodes"), request.nodes());
    }

    private static void put(ObjectNode source, Given given) {
        given.experts().ifPresent(experts -> source.put("experts", experts));
        given.topK().ifPresent(topK -> source.put("topK", topK));
        given.layerIds().ifPresent(ids -> put(source.putArray("layerIds"), ids));
        given.hiddenLayers().ifPresent(layers -> source.put("hiddenLayers", layers));
        given.modelKey().ifPresent(key -> source.put("modelKey", key));
    }

    private static void put(ArrayNode array, List<Integer> values) {
        values.forEach(array::add);
    }

    /**
     * Reads one.
     *
     * @throws IOException when it is none: says what is wrong
     */
    public static Manifest read(Path path) throws IOException {
        return of(path.toString(), Files.readAllBytes(path));
    }

    /** @param name for people */
    static Manifest of(String name, byte[] bytes) throws IOException {
        try {
            JsonNode root = JSON.readTree(bytes);
            if (root == null || !FORM.equals(root.path("form").asText())) {
                throw new IOException(name + " is no manifest of a replay: it does not say \"form\": \"" + FORM + "\"");
            }
            Map<String, String> inputs = new TreeMap<>();
            root.path("inputs")
                    .properties()
                    .forEach(
                            input -> inputs.put(input.getKey(), input.getValue().asText()));
            return new Manifest(text(root, "version"), request(root), inputs);
        } catch (JsonProcessingException e) {
            throw new IOException(name + " is no JSON: " + e.getOriginalMessage(), e);
        } catch (RuntimeException e) {
            throw new IOException(name + ": " + e.getMessage(), e);
        }
    }

    private static ReplayRequest request(JsonNode root) {
        JsonNode source = root.path("source");
        List<PolicyChoice> policies = new ArrayList<>();
        for (JsonNode policy : root.path("policies")) {
            Map<String, String> settings = new TreeMap<>();
            policy.path("settings")
                    .properties()
                    .forEach(setting ->
                            settings.put(setting.getKey(), setting.getValue().asText()));
            policies.add(PolicyChoice.of(text(policy, "name"), settings));
        }
        return new ReplayRequest(
                source.has("input") ? file(source) : topics(source),
                number(root, "windowSteps"),
                Duration.parse(text(root, "stepTime")),
                longNumber(root, "bytesPerExpert"),
                policies,
                numbers(root, "ranks"),
                numbers(root, "redundancy"),
                numbers(root, "nodes"));
    }

    private static HistorySource file(JsonNode source) {
        return new HistorySource.OfFile(
                Path.of(text(source, "input")),
                optional(source, "format"),
                new Given(
                        OptionalInt.empty(),
                        number(source, "experts"),
                        number(source, "topK"),
                        source.has("layerIds") ? Optional.of(numbers(source, "layerIds")) : Optional.empty(),
                        number(source, "hiddenLayers"),
                        optional(source, "modelKey")),
                optional(source, "map"));
    }

    private static HistorySource topics(JsonNode source) {
        return new HistorySource.OfTopics(
                text(source, "bootstrapServers"),
                text(source, "deployment"),
                longNumber(source, "incarnation"),
                optional(source, "from"),
                optional(source, "to"),
                optional(source, "last"),
                source.path("ofSamples").asBoolean());
    }

    private static String text(JsonNode node, String name) {
        return optional(node, name)
                .orElseThrow(() -> new IllegalArgumentException("the manifest lacks '" + name + "'"));
    }

    private static Optional<String> optional(JsonNode node, String name) {
        return node.has(name) ? Optional.of(node.path(name).asText()) : Optional.empty();
    }

    private static OptionalInt number(JsonNode node, String name) {
        return node.has(name) ? OptionalInt.of(Math.toIntExact(whole(node.path(name), name))) : OptionalInt.empty();
    }

    private static OptionalLong longNumber(JsonNode node, String name) {
        return node.has(name) ? OptionalLong.of(whole(node.path(name), name)) : OptionalLong.empty();
    }

    private static long whole(JsonNode number, String name) {
        if (!number.isIntegralNumber() || !number.canConvertToLong()) {
            throw new IllegalArgumentException("'" + name + "' must be a whole number, not " + number);
        }
        return number.longValue();
    }

    private static List<Integer> numbers(JsonNode root, String name) {
        List<Integer> numbers = new ArrayList<>();
        JsonNode array = root.path(name);
        if (!array.isArray()) {
            throw new IllegalArgumentException("'" + name + "' must be a list of whole numbers, not " + array);
        }
        array.forEach(number -> numbers.add(Math.toIntExact(whole(number, name))));
        return numbers;
    }
}
