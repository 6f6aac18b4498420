package dev.plimsoll.app.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The registry over HTTP: what is a matter of the protocol, of size and of time. */
@Timeout(60)
final class RegistryServerTest {
    static {
        // Where no other test has made a server before, this one need not wait as long.
        System.setProperty("sun.net.httpserver.maxReqTime", "2");
    }

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    private RegistryServer server;

    @BeforeEach
    void start() throws IOException {
        server = new RegistryServer("127.0.0.1", 0, new Catalogue());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HttpRequest.Builder to(String target) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + target))
                .timeout(Duration.ofSeconds(20));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return client.send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    @Test
    void anAnswerIsJsonOfTheApisOwnTypeUnlessABrowserAsks() throws Exception {
        HttpResponse<String> toClient = send(to("/schemas/types"));
        HttpResponse<String> toBrowser =
                send(to("/schemas/types").header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"));
        HttpResponse<String> toPython =
                send(to("/schemas/types").header("Accept", "application/vnd.schemaregistry.v1+json, application/json"));

        assertThat(toClient.body()).isEqualTo("[\"AVRO\"]");
        assertThat(toClient.headers().firstValue("Content-Type")).hasValue("application/vnd.schemaregistry.v1+json");
        assertThat(toBrowser.headers().firstValue("Content-Type")).hasValue("application/json");
        assertThat(toPython.headers().firstValue("Content-Type")).hasValue("application/vnd.schemaregistry.v1+json");
    }

    @Test
    void pagesOfOtherOriginsAreToldNothing() throws Exception {
        HttpResponse<String> simple = send(to("/subjects").header("Origin", "https://elsewhere.example"));
        HttpResponse<String> preflight = send(to("/subjects")
                .header("Origin", "https://elsewhere.example")
                .method("OPTIONS", BodyPublishers.noBody()));

        assertThat(preflight.statusCode()).isEqualTo(405);
        for (HttpResponse<String> answer : List.of(simple, preflight)) {
            assertThat(answer.headers().map().keySet())
                    .noneMatch(name -> name.toLowerCase(Locale.ROOT).startsWith("access-control"));
            assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        }
    }

    @Test
    void headSaysHowLongTheAnswerIsAndNothingMore() throws Exception {
        HttpResponse<String> head = send(to("/subjects").method("HEAD", BodyPublishers.noBody()));

        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(head.headers().firstValueAsLong("Content-Length"))
                .hasValue(send(to("/subjects")).body().length());
    }

    @Test
    void aMethodThatAPathDoesNotHaveIsNamedWithThoseThatItHas() throws Exception {
        HttpResponse<String> answer = send(to("/subjects/x").PUT(BodyPublishers.ofString("{}")));

        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(answer.headers().firstValue("Allow")).hasValue("DELETE, POST");
    }

    @Test
    void aRequestThatIsTooLongIsRefusedAndTheNextOneServed() throws Exception {
        HttpResponse<String> answer =
                send(to("/subjects/plimsoll.plan.v1-value").POST(BodyPublishers.ofByteArray(new byte[300 << 10])));

        assertThat(answer.statusCode()).isEqualTo(413);
        assertThat(answer.body()).contains("\"error_code\":413");
        assertThat(send(to("/mode")).statusCode()).isEqualTo(200);
    }

    @Test
    void aSchemaNestedWithoutEndIsRefused() throws Exception {
        for (int depth : new int[] {900, 5_000, 100_000}) {
            String nested = "{\\\"type\\\":\\\"array\\\",\\\"items\\\":".repeat(Math.min(depth, 6_000));
            HttpResponse<String> answer = send(to("/subjects/plimsoll.plan.v1-value")
                    .POST(BodyPublishers.ofString(
                            "{\"schema\":\"" + (depth > 6_000 ? "[".repeat(depth) : nested) + "\"}")));

            assertThat(answer.statusCode()).as("%d levels", depth).isEqualTo(422);
        }
        assertThat(send(to("/mode")).statusCode()).isEqualTo(200);
    }

    @Test
    void manyClientsAtOnceAreAllServed() {
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            answers.add(client.sendAsync(to("/schemas/ids/170001").build(), BodyHandlers.ofString()));
        }

        assertThat(answers)
                .allSatisfy(answer -> assertThat(answer.join().statusCode()).isEqualTo(200));
        assertThat(Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().equals("plimsoll-registry")))
                .hasSizeLessThanOrEqualTo(4);
    }

    /** More of them than there are threads and places to wait: each thread is free again when the time for a request is over. */
    @Test
    void clientsThatSendNothingFurtherDoNotKeepOthersOutForLong() throws Exception {
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                Socket socket = new Socket();
                socket.connect(new InetSocketAddress("127.0.0.1", server.port()), 5_000);
                socket.getOutputStream().write("GET /subjects HTT".getBytes(StandardCharsets.US_ASCII));
                slow.add(socket);
            }

            long began = System.nanoTime();
            HttpResponse<String> answer = null;
            while (answer == null
                    && System.nanoTime() - began < Duration.ofSeconds(40).toNanos()) {
                try {
                    answer = client.send(
                            to("/mode").timeout(Duration.ofSeconds(5)).build(), BodyHandlers.ofString());
                } catch (IOException keptOut) {
                    assertThat(keptOut).isNotNull();
                }
            }

            assertThat(answer).isNotNull();
            assertThat(answer.statusCode()).isEqualTo(200);
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void itStopsAtOnceWhateverIsOpen() throws Exception {
        try (Socket open = new Socket("127.0.0.1", server.port())) {
            open.setSoTimeout(5_000);
            InputStream in = open.getInputStream();
            byte[] request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
            open.getOutputStream().write(request);
            assertThat((char) in.read()).isEqualTo('H');
            open.getOutputStream().write(request, 0, 9);
            long began = System.nanoTime();

            server.close();

            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
        }
        assertThatThrownBy(() -> send(to("/mode"))).isInstanceOf(IOException.class);
    }

    @Test
    void aPortThatIsTakenIsNamed() {
        assertThatThrownBy(() -> new RegistryServer("127.0.0.1", server.port(), new Catalogue()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:" + server.port());
    }
}
