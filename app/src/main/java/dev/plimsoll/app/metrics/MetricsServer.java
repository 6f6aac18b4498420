package dev.plimsoll.app.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.plimsoll.app.HttpServerSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Serves {@code /metrics} for Prometheus, {@code /livez} (this process answers) and {@code /readyz} (each named condition holds);
 * {@code /readyz?verbose} tells of each deployment besides, which makes nobody unready: no restart mends what stands still elsewhere,
 * and an engine may have nothing to do.
 *
 * <p>Two threads of its own; read-only; no request body is read.
 */
public final class MetricsServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads;

    /** Binds and starts. */
    public MetricsServer(String host, int port, Meters meters, Map<String, BooleanSupplier> conditions)
            throws IOException {
        Map<String, BooleanSupplier> ready = new TreeMap<>(conditions);
        try {
            HttpServerSettings.apply();
            server = HttpServer.create(new InetSocketAddress(InetAddress.getByName(host), port), 16);
        } catch (IOException e) {
            throw new IOException(
                    "cannot serve metrics on " + host + ":" + port + ": " + e.getMessage()
                            + "; choose another --metrics-port",
                    e);
        }
        meters.ready(ready);
        threads = Executors.newFixedThreadPool(2, task -> {
            Thread thread = new Thread(task, "plimsoll-metrics");
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(threads);
        server.createContext(
                "/metrics",
                exchange -> answer(
                        exchange,
                        "/metrics",
                        200,
                        "text/plain; version=0.0.4; charset=utf-8",
                        meters.registry()::scrape));
        server.createContext(
                "/livez", exchange -> answer(exchange, "/livez", 200, "text/plain; charset=utf-8", () -> "ok\n"));
        server.createContext("/readyz", exchange -> {
            StringBuilder text = new StringBuilder();
            String asked = exchange.getRequestURI().getQuery();
            boolean all = true;
            for (Map.Entry<String, BooleanSupplier> condition : ready.entrySet()) {
                boolean holds = condition.getValue().getAsBoolean();
                all &= holds;
                text.append(holds ? "[+] " : "[-] ").append(condition.getKey()).append('\n');
            }
            if ("verbose".equals(asked)) {
                meters.watched().forEach(line -> text.append(line).append('\n'));
            }
            text.append(all ? "ready\n" : "not ready\n");
            answer(exchange, "/readyz", all ? 200 : 503, "text/plain; charset=utf-8", text::toString);
        });
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private static void answer(HttpExchange exchange, String path, int status, String type, Supplier<String> body)
            throws IOException {
        try (exchange) {
            boolean head = exchange.getRequestMethod().equals("HEAD");
            if (!head && !exchange.getRequestMethod().equals("GET")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                exchange.sendResponseHeaders(405, -1);
                return;
            }
            if (!exchange.getRequestURI().getPath().equals(path)) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            byte[] bytes = body.get().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            exchange.sendResponseHeaders(status, head || bytes.length == 0 ? -1 : bytes.length);
            if (!head) {
                exchange.getResponseBody().write(bytes);
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
