package dev.plimsoll.app.profile;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.DeviceProfile;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A device profile as a JSON object: {@code {"device": "NVIDIA H200", "model": "gpt-oss-20b", "precision": "bf16", "source": "…",
 * "receivedMicros": 0, "expert": [[1, 3.9], [47, 3.9], [94, 7.8]]}}, where {@code source} and {@code receivedMicros} may be left out.
 * A name that is none of these is refused, so that a misspelt one is not passed over.
 */
public final class ProfileJson {
    private static final List<String> NAMES =
            List.of("device", "model", "precision", "source", "receivedMicros", "expert");

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private ProfileJson() {}

    static ProfileFile read(String file, String text) {
        JsonNode root;
        try {
            root = MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    file + ": is not JSON"
                            + (e.getLocation() == null
                                    ? ""
                                    : " (line " + e.getLocation().getLineNr() + ", column "
                                            + e.getLocation().getColumnNr() + ")")
                            + ": " + e.getOriginalMessage().replaceAll("\\R.*", ""),
                    e);
        }
        for (Iterator<String> names = root.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException(
                        file + ": '" + name + "' is not known; expected " + String.join(", ", NAMES));
            }
        }
        JsonNode expert = root.path("expert");
        if (!expert.isArray()) {
            throw wrong(file, "'expert'", expert, "a list of [tokens, microseconds]");
        }
        if (expert.size() > ProfileFile.MOST_ENTRIES) {
            throw new IllegalArgumentException(file + ": 'expert' has " + expert.size() + " entries; expected at most "
                    + ProfileFile.MOST_ENTRIES);
        }
        List<String> where = new ArrayList<>();
        List<Integer> tokens = new ArrayList<>();
        List<Double> micros = new ArrayList<>();
        for (int i = 0; i < expert.size(); i++) {
            String here = file + ": expert[" + i + "]";
            JsonNode entry = expert.get(i);
            if (!entry.isArray() || entry.size() != 2) {
                throw wrong(file, "expert[" + i + "]", entry, "[tokens, microseconds], such as [16, 3.9]");
            }
            if (!entry.get(0).isIntegralNumber() || !entry.get(0).canConvertToLong()) {
                throw wrong(file, "expert[" + i + "][0]", entry.get(0), "a whole number of tokens");
            }
            if (!entry.get(1).isNumber()) {
                throw wrong(file, "expert[" + i + "][1]", entry.get(1), "a time in microseconds");
            }
            ProfileFile.check(here, entry.get(0).asLong(), entry.get(1).asDouble());
            where.add(here);
            tokens.add(entry.get(0).asInt());
            micros.add(entry.get(1).asDouble());
        }
        JsonNode received = root.path("receivedMicros");
        if (!received.isMissingNode() && !received.isNumber()) {
            throw wrong(file, "'receivedMicros'", received, "what a token that a rank receives costs, in microseconds");
        }
        double receivedMicros = received.asDouble(0);
        if (!(receivedMicros >= 0) || receivedMicros > 1e9) {
            throw wrong(file, "'receivedMicros'", received, "a time from 0, in microseconds");
        }
        return ProfileFile.of(
                file,
                where,
                tokens,
                micros,
                text(file, root, "device"),
                text(file, root, "model"),
                text(file, root, "precision"),
                root.has("source") ? Optional.of(text(file, root, "source")) : Optional.empty(),
                receivedMicros);
    }

    private static String text(String file, JsonNode root, String name) {
        JsonNode value = root.path(name);
        if (!value.isTextual() || value.asText().isBlank()) {
            throw wrong(file, "'" + name + "'", value, "a text");
        }
        return value.asText();
    }

    private static IllegalArgumentException wrong(String file, String what, JsonNode found, String expected) {
        String text = found.isMissingNode() ? "" : found.toString();
        return new IllegalArgumentException(file + ": " + what
                + (found.isMissingNode()
                        ? " is missing"
                        : " is " + (text.length() > 60 ? text.substring(0, 60) + "…" : text))
                + "; expected " + expected);
    }

    /** The object that {@link ProfileFile#read} makes the same profile of. */
    public static ObjectNode write(
            String device, String model, String precision, Optional<String> source, DeviceProfile profile) {
        ObjectNode root = JsonNodeFactory.instance
                .objectNode()
                .put("device", device)
                .put("model", model)
                .put("precision", precision);
        source.ifPresent(text -> root.put("source", text));
        root.put("receivedMicros", profile.receivedMicros());
        ArrayNode expert = root.putArray("expert");
        profile.points().forEach(point -> expert.addArray().add(point.tokens()).add(point.micros()));
        return root;
    }
}
