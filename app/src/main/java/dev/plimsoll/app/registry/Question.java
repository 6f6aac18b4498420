package dev.plimsoll.app.registry;

import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A request, taken apart.
 *
 * @param path its segments, decoded; none for the root
 * @param parameters of the query, decoded; of a name that comes twice the first
 */
record Question(String method, List<String> path, Map<String, String> parameters, byte[] body) {
    Question {
        path = List.copyOf(path);
        parameters = Map.copyOf(parameters);
    }

    /**
     * Of a path and a query as they are sent.
     *
     * @throws IllegalArgumentException when one of them is not percent-encoded UTF-8
     */
    static Question of(String method, String rawPath, @Nullable String rawQuery, byte[] body) {
        List<String> path = new ArrayList<>();
        for (String segment : rawPath.split("/", -1)) {
            // One at the end too: clients are configured with addresses that end so.
            if (!segment.isEmpty()) {
                path.add(decoded(segment.replace("+", "%2B")));
            }
        }
        Map<String, String> parameters = new HashMap<>();
        for (String pair : (rawQuery == null ? "" : rawQuery).split("&", -1)) {
            int equals = pair.indexOf('=');
            String name = decoded(equals < 0 ? pair : pair.substring(0, equals));
            parameters.putIfAbsent(name, equals < 0 ? "" : decoded(pair.substring(equals + 1)));
        }
        return new Question(method, path, parameters, body);
    }

    private static String decoded(String text) {
        String decoded = URLDecoder.decode(text, StandardCharsets.UTF_8);
        if (decoded.indexOf('\uFFFD') >= 0) {
            throw new IllegalArgumentException("not UTF-8: " + text);
        }
        return decoded;
    }

    /** Whether a parameter says true. */
    boolean says(String parameter) {
        return "true".equalsIgnoreCase(parameters.get(parameter));
    }

    /** A number of the query; what is none counts as not given. */
    int number(String parameter, int otherwise) {
        return parsed(parameters.getOrDefault(parameter, "")).orElse(otherwise);
    }

    String text(String parameter) {
        return parameters.getOrDefault(parameter, "");
    }

    static Optional<Integer> parsed(String number) {
        try {
            return Optional.of(Integer.parseInt(number.trim()));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The body as text; empty where it is not UTF-8. */
    Optional<String> bodyText() {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }
}
