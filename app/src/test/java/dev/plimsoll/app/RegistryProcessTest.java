package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.registry.RegistryServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The registry as people start it: as a process of its own, and beside the loop. */
@Timeout(120)
final class RegistryProcessTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Pattern ADDRESS = Pattern.compile("registry +(http://127\\.0\\.0\\.1:(\\d+)) ");

    @TempDir
    Path directory;

    @Test
    void theRegistryServesUntilItIsAskedToStop() throws Exception {
        try (RoleProcess registry = RoleProcess.start(directory, "registry", "--port", "0")) {
            await().atMost(SOON).until(() -> address(registry).isPresent());
            String url = address(registry).orElseThrow().group(1);

            assertThat(get(url + "/schemas/ids/170003")).contains("Tick");
            assertThat(registry.out()).as("standard output").isEmpty();
            assertThat(registry.stop()).as("stopped in time").isTrue();
            assertThat(registry.err()).doesNotContain("Exception");
        }
    }

    /** Nobody has asked for that port, so that it is taken stops nothing. */
    @Test
    void upServesTheSchemasWhereTheUsualPortIsTaken() throws Exception {
        try (ServerSocket taken = usualPort();
                RoleProcess up = RoleProcess.start(
                        directory,
                        List.of("-Xmx512m", "-Dplimsoll.terminal=false"),
                        "up",
                        "--model",
                        "deepseek-v2-lite",
                        "--ranks",
                        "2")) {
            await().atMost(SOON).until(() -> address(up).isPresent());
            MatchResult address = address(up).orElseThrow();

            assertThat(taken.isBound()).isTrue();
            assertThat(Integer.parseInt(address.group(2))).isNotEqualTo(RegistryServer.USUAL_PORT);
            assertThat(get(address.group(1) + "/subjects")).contains("plimsoll.plan.v1-value");
            up.signal("TERM");
            assertThat(up.exitCode(Duration.ofSeconds(20))).isEqualTo(143);
        }
    }

    /** Where another process has it already, that one does. */
    private static ServerSocket usualPort() throws IOException {
        try {
            return new ServerSocket(RegistryServer.USUAL_PORT, 1, InetAddress.getByName("127.0.0.1"));
        } catch (IOException takenAlready) {
            return new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
        }
    }

    private static Optional<MatchResult> address(RoleProcess process) {
        return ADDRESS.matcher(process.out() + process.err()).results().findFirst();
    }

    private static String get(String url) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).timeout(SOON).build(), BodyHandlers.ofString())
                .body();
    }
}
