package dev.plimsoll.app.registry;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.plimsoll.app.HttpServerSettings;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the schemas in the jar to tools that ask a Confluent Schema Registry: over plain HTTP, to everybody who reaches the port, as
 * there is nothing secret in them and nothing that could be changed.
 *
 * <p>Four threads of its own; what waits for them, the size of a request and the time that a client may take are bounded. Web pages of
 * other origins are not told what it says: it sends no CORS headers.
 */
public final class RegistryServer implements AutoCloseable {
    /** What it is looked for at by default, as other registries. */
    public static final int USUAL_PORT = 8081;

    private static final Logger log = LoggerFactory.getLogger(RegistryServer.class);
    private static final int THREADS = 4;
    private static final int WAITING = 64;
    private static final int MOST_BODY_BYTES = 256 << 10;
    private static final String OF_THE_API = "application/vnd.schemaregistry.v1+json";

    private final RegistryApi api;
    private final HttpServer server;
    private final ExecutorService threads;

    /** Binds and starts; port 0 picks one. */
    public RegistryServer(String host, int port, Catalogue catalogue) throws IOException {
        this.api = new RegistryApi(catalogue);
        HttpServerSettings.apply();
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getByName(host), port), WAITING);
        } catch (IOException e) {
            throw new IOException("cannot serve schemas on " + host + ":" + port + ": " + e.getMessage(), e);
        }
        threads = new ThreadPoolExecutor(
                THREADS, THREADS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING), task -> {
                    Thread thread = new Thread(task, "plimsoll-registry");
                    thread.setDaemon(true);
                    return thread;
                });
        server.setExecutor(threads);
        server.createContext("/", this::exchange);
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private void exchange(HttpExchange exchange) throws IOException {
        try (exchange) {
            Answer answer = answer(exchange);
            Headers headers = exchange.getResponseHeaders();
            headers.set("Content-Type", type(exchange.getRequestHeaders().getOrDefault("Accept", List.of())));
            headers.set("X-Content-Type-Options", "nosniff");
            if (!answer.allowed().isEmpty()) {
                headers.set("Allow", String.join(", ", answer.allowed()));
            }
            byte[] bytes = answer.body().toString().getBytes(StandardCharsets.UTF_8);
            if (exchange.getRequestMethod().equals("HEAD")) {
                headers.set("Content-Length", Integer.toString(bytes.length));
                exchange.sendResponseHeaders(answer.status(), -1);
            } else {
                exchange.sendResponseHeaders(answer.status(), bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException {
        byte[] body;
        try (InputStream in = exchange.getRequestBody()) {
            body = in.readNBytes(MOST_BODY_BYTES + 1);
            if (body.length > MOST_BODY_BYTES) {
                return Answer.error(413, "the request is longer than " + MOST_BODY_BYTES + " bytes");
            }
        }
        try {
            return api.answer(Question.of(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().getRawPath(),
                    exchange.getRequestURI().getRawQuery(),
                    body));
        } catch (IllegalArgumentException e) {
            return Answer.error(400, "HTTP 400 Bad Request: " + e.getMessage());
        } catch (RuntimeException | StackOverflowError e) {
            log.warn("{} {}: {}", exchange.getRequestMethod(), exchange.getRequestURI(), e.toString());
            log.debug("because", e);
            return Answer.error(500, "Internal Server Error");
        }
    }

    /** As other registries answer: a browser would save what is not named JSON plainly. */
    private static String type(List<String> accepted) {
        String wanted = String.join(",", accepted);
        return !wanted.contains("schemaregistry")
                        && (wanted.contains("application/json") || wanted.contains("text/html"))
                ? "application/json"
                : OF_THE_API;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
