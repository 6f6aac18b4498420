package dev.plimsoll.app.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Collection;
import java.util.List;

/**
 * What the registry says to a request.
 *
 * @param status of HTTP
 * @param allowed the methods that would be answered; empty unless the request's is not
 */
record Answer(int status, JsonNode body, List<String> allowed) {
    Answer {
        allowed = List.copyOf(allowed);
    }

    static Answer of(JsonNode body) {
        return new Answer(200, body, List.of());
    }

    /** An error by the API's own number, whose first three digits are the status. */
    static Answer error(int code, String message) {
        int status = code;
        while (status > 999) {
            status /= 10;
        }
        return new Answer(
                status,
                JsonNodeFactory.instance.objectNode().put("error_code", code).put("message", message),
                List.of());
    }

    static Answer notAllowed(Collection<String> allowed) {
        Answer error = error(405, "HTTP 405 Method Not Allowed: this registry reads only");
        return new Answer(error.status(), error.body(), List.copyOf(allowed));
    }
}
