package dev.plimsoll.replay.format.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.plimsoll.replay.format.Input;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What the beginning of a file tells of a JSON object that stands there: the names of its fields, and what is said by the one that
 * says a format. By it formats are told from each other; nothing is checked.
 *
 * @param texts by name; empty for all fields but one
 */
record JsonNames(Map<String, String> texts) {
    private static final JsonNames NONE = new JsonNames(Map.of());
    private static final String FORMAT = "format";
    private static final int HEAD_BYTES = 1 << 20;
    /** None where it is a directory, or begins with anything but an object. */
    static JsonNames of(Input input) throws IOException {
        return input.once(JsonNames.class, () -> find(input));
    }

    private static JsonNames find(Input input) throws IOException {
        if (input.directory() || input.files().size() != 1) {
            return NONE;
        }
        byte[] head = input.head(input.files().get(0), HEAD_BYTES);
        Map<String, String> texts = new HashMap<>();
        try (JsonParser parser = JsonFactory.builder()
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .streamReadConstraints(JsonText.LIMITS)
                .build()
                .createParser(head)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return NONE;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                texts.put(name, "");
                if (parser.nextToken() == JsonToken.VALUE_STRING && name.equals(FORMAT)) {
                    texts.put(name, parser.getText());
                }
                parser.skipChildren();
            }
        } catch (IOException e) {
            // Cut off, or broken further on: what was seen tells enough, and whoever reads all of it says what is
            // wrong.
            return new JsonNames(texts);
        }
        return new JsonNames(texts);
    }

    boolean object() {
        return !texts.isEmpty();
    }

    boolean has(String name) {
        return texts.containsKey(name);
    }

    Set<String> names() {
        return texts.keySet();
    }

    /** The value of the field that says a format, empty where there is none. */
    String format() {
        return texts.getOrDefault(FORMAT, "");
    }
}
