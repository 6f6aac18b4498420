package dev.plimsoll.replay.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A headless Chromium with one page, spoken to over the DevTools protocol. */
final class Browser implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final Path home;
    private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final List<JsonNode> events = new CopyOnWriteArrayList<>();
    private final WebSocket socket;
    private String session = "";
    private int sent;

    private Browser(Process process, Path home, URI address) {
        this.process = process;
        this.home = home;
        this.socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .connectTimeout(PATIENCE)
                .buildAsync(address, new Listener())
                .join();
        String target = send("Target.createTarget", "url", "about:blank")
                .path("targetId")
                .asText();
        ObjectNode attach = JSON.createObjectNode().put("targetId", target).put("flatten", true);
        session = send("Target.attachToTarget", attach).path("sessionId").asText();
        for (String domain : List.of("Page", "Runtime", "Network", "Log")) {
            send(domain + ".enable");
        }
    }

    /** Where Chromium is on this machine; empty where it is not. */
    static Optional<Path> installed() {
        return Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst();
    }

    static Browser start(Path chromium) throws IOException, InterruptedException {
        Path home = Files.createTempDirectory("chromium");
        Process process = new ProcessBuilder(
                        chromium.toString(),
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-dev-shm-usage",
                        "--disable-background-networking",
                        "--no-first-run",
                        "--hide-scrollbars",
                        "--remote-debugging-port=0",
                        "--user-data-dir=" + home,
                        "about:blank")
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("log").toFile())
                .start();
        Path port = home.resolve("DevToolsActivePort");
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!Files.exists(port) || Files.readAllLines(port).size() < 2) {
            if (System.nanoTime() > end || !process.isAlive()) {
                process.destroyForcibly();
                throw new IllegalStateException("Chromium did not start: " + Files.readString(home.resolve("log")));
            }
            Thread.sleep(20);
        }
        List<String> lines = Files.readAllLines(port);
        return new Browser(process, home, URI.create("ws://127.0.0.1:" + lines.get(0) + lines.get(1)));
    }

    private final class Listener implements WebSocket.Listener {
        private final StringBuilder message = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            message.append(data);
            if (last) {
                receive(message.toString());
                message.setLength(0);
            }
            from.request(1);
            return CompletableFuture.completedFuture(data);
        }
    }

    private void receive(String text) {
        try {
            JsonNode message = JSON.readTree(text);
            CompletableFuture<JsonNode> answer =
                    waiting.remove(message.path("id").asInt(-1));
            if (answer == null) {
                events.add(message);
            } else if (message.has("error")) {
                answer.completeExceptionally(
                        new IllegalStateException(message.path("error").toString()));
            } else {
                answer.complete(message.path("result"));
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(text, e);
        }
    }

    /** @param parameters names and values by turns */
    JsonNode send(String method, String... parameters) {
        ObjectNode node = JSON.createObjectNode();
        for (int i = 0; i < parameters.length; i += 2) {
            node.put(parameters[i], parameters[i + 1]);
        }
        return send(method, node);
    }

    JsonNode send(String method, ObjectNode parameters) {
        int id = ++sent;
        ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
        message.set("params", parameters);
        if (!session.isEmpty()) {
            message.put("sessionId", session);
        }
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        waiting.put(id, answer);
        socket.sendText(message.toString(), true).join();
        try {
            return answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException(method + ": " + e, e);
        }
    }

    /** Opens a file as a screen of this width and colours sees it, and waits until its script has drawn. */
    void open(Path page, int width, int height, String colours) {
        events.clear();
        size(width, height);
        emulate("", colours);
        // A page that stays for a moment, as it was opened before, is not to be taken for this one.
        evaluate("document.documentElement && delete document.documentElement.dataset.ready");
        send("Page.navigate", "url", page.toUri().toString());
        await("document.documentElement?.dataset.ready === 'true'");
    }

    void size(int width, int height) {
        send(
                "Emulation.setDeviceMetricsOverride",
                JSON.createObjectNode()
                        .put("width", width)
                        .put("height", height)
                        .put("deviceScaleFactor", width < 500 ? 2 : 1)
                        .put("mobile", width < 500));
    }

    /** @param media {@code print} or empty for the screen */
    void emulate(String media, String colours) {
        ObjectNode parameters = JSON.createObjectNode().put("media", media);
        parameters
                .putArray("features")
                .addObject()
                .put("name", "prefers-color-scheme")
                .put("value", colours);
        send("Emulation.setEmulatedMedia", parameters);
    }

    void await(String condition) {
        await(() -> evaluate("!!(" + condition + ")").asBoolean(), condition);
    }

    /** @param what is waited for, in words */
    void await(BooleanSupplier condition, String what) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("never: " + what + "; the page said " + complaints());
            }
        }
    }

    /** Value of an expression in the page; what it throws is thrown. */
    JsonNode evaluate(String expression) {
        JsonNode answer = send(
                "Runtime.evaluate",
                JSON.createObjectNode()
                        .put("expression", expression)
                        .put("returnByValue", true)
                        .put("awaitPromise", true));
        if (answer.has("exceptionDetails")) {
            throw new AssertionError(expression + ": " + answer.path("exceptionDetails"));
        }
        return answer.path("result").path("value");
    }

    /** A key as a keyboard sends it to what has the focus. */
    void press(String key) {
        for (String type : List.of("rawKeyDown", "keyUp")) {
            send("Input.dispatchKeyEvent", "type", type, "key", key, "code", key);
        }
    }

    /** Errors on the console, exceptions, and what the page's own policy refused. */
    List<String> complaints() {
        return texts(event -> {
            String method = event.path("method").asText();
            return method.equals("Runtime.exceptionThrown")
                    || (method.equals("Runtime.consoleAPICalled")
                            && List.of("error", "warning", "assert")
                                    .contains(event.path("params").path("type").asText()))
                    || method.equals("Log.entryAdded");
        });
    }

    /** Addresses that the page asked for. */
    List<String> requests() {
        return events.stream()
                .filter(event -> event.path("method").asText().equals("Network.requestWillBeSent"))
                .map(event -> event.path("params").path("request").path("url").asText())
                .toList();
    }

    private List<String> texts(Predicate<JsonNode> which) {
        return events.stream()
                .filter(which)
                .map(event -> event.path("params").toString())
                .toList();
    }

    /** The whole page, not only what a screen shows of it. */
    void screenshot(Path to) throws IOException {
        JsonNode answer = send(
                "Page.captureScreenshot",
                JSON.createObjectNode().put("format", "png").put("captureBeyondViewport", true));
        Files.createDirectories(to.getParent());
        Files.write(to, Base64.getDecoder().decode(answer.path("data").asText()));
    }

    byte[] pdf() {
        return Base64.getDecoder()
                .decode(send("Page.printToPDF", JSON.createObjectNode().put("printBackground", true))
                        .path("data")
                        .asText());
    }

    @Override
    public void close() throws IOException {
        socket.abort();
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // Children of the browser may still write for a moment: what cannot be deleted stays in the directory for
        // temporary files.
        try (Stream<Path> files = Files.walk(home)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (java.io.UncheckedIOException e) {
            return;
        }
    }
}
