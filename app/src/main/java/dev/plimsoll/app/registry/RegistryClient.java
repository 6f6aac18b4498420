package dev.plimsoll.app.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks a schema registry of others, one request at a time; each ends within seconds. */
final class RegistryClient {
    private static final Duration LONGEST = Duration.ofSeconds(7);
    private static final int MOST_BYTES = 4 << 20;
    private static final String TYPE = "application/vnd.schemaregistry.v1+json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RegistryAccess access;
    private final HttpClient client;
    private final Duration longest;

    /** @param body a missing node where the answer is no JSON */
    record Reply(int status, JsonNode body) {
        boolean done() {
            return status >= 200 && status < 300;
        }

        /** The API's own number of the error, else the status. */
        int code() {
            int code = body.path("error_code").asInt(status);
            return code == 0 ? status : code;
        }

        String message() {
            return code()
                    + (body.path("message").asText("").isEmpty()
                            ? ""
                            : " " + body.path("message").asText());
        }
    }

    RegistryClient(RegistryAccess access) {
        this(access, LONGEST);
    }

    /** @param longest that an answer may take */
    RegistryClient(RegistryAccess access, Duration longest) {
        this.access = access;
        this.longest = longest;
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(longest);
        access.tls().ifPresent(builder::sslContext);
        this.client = builder.build();
    }

    /** A part of a path. */
    static String part(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    Reply get(String path) throws RegistryException {
        return send(request(path).GET());
    }

    Reply send(String method, String path, JsonNode body) throws RegistryException {
        return send(request(path)
                .header("Content-Type", TYPE)
                .method(
                        method,
                        body.isMissingNode() ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString())));
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(access.url() + path))
                .timeout(longest)
                .header("Accept", TYPE + ", application/json");
        access.authorization().ifPresent(value -> request.header("Authorization", value));
        return request;
    }

    private Reply send(HttpRequest.Builder request) throws RegistryException {
        HttpRequest sent = request.build();
        try {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            HttpResponse<Void> response = answer(sent, body);
            byte[] bytes = body.toByteArray();
            if (response.statusCode() == 401 || response.statusCode() == 403) {
                throw RegistryException.refused(access + " refuses us with " + response.statusCode()
                        + "; name a user that may as basic.auth.user.info=USER:PASSWORD in --kafka-properties");
            }
            if (response.statusCode() >= 500) {
                throw RegistryException.failed(access + " fails with " + response.statusCode() + ": "
                        + new Reply(response.statusCode(), json(bytes)).message());
            }
            return new Reply(response.statusCode(), json(bytes));
        } catch (IOException e) {
            throw RegistryException.unreachable(
                    access + " does not answer: " + words(e)
                            + "; check --schema-registry-url, and schema.registry.ssl.* where it is https",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw RegistryException.unreachable(access + ": interrupted", e);
        }
    }

    /** Bounded as a whole: the request's own time-out ends with the headers of the answer. */
    private HttpResponse<Void> answer(HttpRequest sent, ByteArrayOutputStream body)
            throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<Void>> answer = client.sendAsync(
                sent,
                BodyHandlers.ofByteArrayConsumer(part -> part.ifPresent(
                        bytes -> body.write(bytes, 0, Math.min(bytes.length, MOST_BYTES - body.size())))));
        try {
            return answer.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("the answer took longer than " + longest.toSeconds() + " s");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IOException(e.getCause());
        } finally {
            answer.cancel(true);
        }
    }

    private static String words(Throwable failure) {
        if (failure instanceof ConnectException) {
            return "nobody listens there";
        }
        Throwable cause = failure;
        while (cause.getMessage() == null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    private static JsonNode json(byte[] bytes) {
        try {
            return JSON.readTree(new String(bytes, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            return JsonNodeFactory.instance.missingNode();
        }
    }
}
