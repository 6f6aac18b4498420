package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Failures;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.app.registry.FakeRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class SchemasCommandTest {
    private static final String STORE_PASSWORD = "of-this-test-only";

    @TempDir
    Path directory;

    /** What a command says, and its exit code. */
    private record Said(int code, String out, String err) {}

    private static Said run(String... arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
        try {
            int code = Plimsoll.run(arguments);
            return new Said(code, said.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    @Test
    void schemasAreListedForPeopleAndPrograms() throws Exception {
        Said text = run("schemas", "list");
        Said json = run("schemas", "list", "--output", "json");

        assertThat(text.code()).isZero();
        assertThat(text.out().lines())
                .anyMatch(line -> line.matches("plimsoll\\.windows\\.v1-value +3 +170024 +LoadWindow"));
        assertThat(json.out().lines()).hasSize((int) text.out().lines().count() - 1);
        JsonNode first =
                new ObjectMapper().readTree(json.out().lines().findFirst().orElseThrow());
        assertThat(first.fieldNames()).toIterable().containsExactly("subject", "version", "id", "record");
    }

    @Test
    void aSchemaIsShownByItsIdAndTheNewestByItsRecord() {
        assertThat(run("schemas", "show", "170005").out()).contains("\"name\": \"LoadWindow\"");
        assertThat(run("schemas", "show", "loadwindow").out())
                .isEqualTo(run("schemas", "show", "170024").out())
                .isNotEqualTo(run("schemas", "show", "170005").out());

        Said nothing = run("schemas", "show", "Order");
        assertThat(nothing.code()).isEqualTo(2);
        assertThat(nothing.err()).contains("no schema 'Order'").contains("LoadWindow");
    }

    @Test
    void registeringSaysFirstWhatItWouldDo() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            Said dry = run("schemas", "register", "--schema-registry-url", registry.url());
            assertThat(dry.code()).isZero();
            assertThat(dry.out()).contains("missing  170024  plimsoll.windows.v1-value 3");
            assertThat(dry.err()).contains("--execute does it");
            assertThat(registry.writes()).isEmpty();

            Said done = run("schemas", "register", "--schema-registry-url", registry.url(), "--execute");
            assertThat(done.code()).isZero();
            assertThat(registry.subjects()).hasSize(new Catalogue().subjects().size());

            Said again = run("schemas", "register", "--schema-registry-url", registry.url(), "--output", "json");
            assertThat(again.out().lines()).allMatch(line -> line.startsWith("{\"state\":\"THERE\","));
        }
    }

    @Test
    void whatIsTakenByOthersIsNotRegisteredAndAWayOutIsNamed() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.put("orders-value", 1, 170001, "\"string\"");

            Said said = run("schemas", "register", "--schema-registry-url", registry.url(), "--execute");

            assertThat(said.code()).isEqualTo(1);
            assertThat(said.out()).contains("taken    170001").contains("orders-value 1");
            assertThat(said.err()).contains("/contexts/.plimsoll").contains("plimsoll registry");
            assertThat(registry.writes()).isEmpty();
        }
    }

    @Test
    void aRegistryBehindTlsAndAPasswordIsReachedByItsProperties() throws Exception {
        Path store = keys();
        SSLContext tls = SSLContext.getInstance("TLS");
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        try (InputStream in = Files.newInputStream(store)) {
            KeyStore loaded = KeyStore.getInstance("PKCS12");
            loaded.load(in, STORE_PASSWORD.toCharArray());
            keys.init(loaded, STORE_PASSWORD.toCharArray());
        }
        tls.init(keys.getKeyManagers(), null, null);
        try (FakeRegistry registry = new FakeRegistry(Optional.of(tls))) {
            registry.onlyFor("Basic YWxpY2U6c2VjcmV0");
            String trusted = "schema.registry.url=" + registry.url() + "\nbasic.auth.user.info=alice:secret\n"
                    + "schema.registry.ssl.truststore.type=PEM\nschema.registry.ssl.truststore.location="
                    + exported(store) + "\n";

            Said known = run("schemas", "register", "--kafka-properties", file(trusted), "--execute");
            Said stranger = run("schemas", "register", "--kafka-properties", file(trusted.replace("secret", "wrong")));
            Said distrustful = run(
                    "schemas", "register", "--kafka-properties", file(trusted.replaceAll("(?m)^schema.*ssl.*$", "")));

            assertThat(known.code()).as(known.err()).isZero();
            assertThat(registry.subjects()).isNotEmpty();
            assertThat(stranger.code()).isEqualTo(2);
            assertThat(stranger.err())
                    .contains("401")
                    .contains("basic.auth.user.info")
                    .doesNotContain("wrong");
            assertThat(distrustful.code()).isEqualTo(Failures.UNREACHABLE);
            assertThat(distrustful.err()).contains("schema.registry.ssl");
        }
    }

    @Test
    void whatIsWrongIsSaidBeforeAnythingIsAsked() {
        assertThat(run("schemas", "register").err()).contains("--schema-registry-url");
        assertThat(run("schemas", "register", "--schema-registry-url", "nowhere")
                        .code())
                .isEqualTo(2);
        assertThat(run("schemas", "register", "--kafka-properties", "/no/such/file")
                        .err())
                .contains("/no/such/file");
        assertThat(run("registry", "--port", "70000").code()).isEqualTo(2);
        assertThat(run("up", "--registry-port", "-2").code()).isEqualTo(2);
    }

    @Test
    void aPortThatSomebodyAskedForAndIsTakenIsAnErrorAtOnce() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());

            for (String[] command :
                    List.of(new String[] {"registry", "--port", port}, new String[] {"up", "--registry-port", port})) {
                Said said = run(command);
                assertThat(said.code()).isEqualTo(2);
                assertThat(said.err()).contains(command[1] + " " + port);
            }
        }
    }

    private String file(String text) throws IOException {
        return Files.writeString(Files.createTempFile(directory, "client", ".properties"), text)
                .toString();
    }

    private Path keys() throws Exception {
        Path store = directory.resolve("registry.p12");
        keytool(
                "-genkeypair",
                "-alias",
                "registry",
                "-keyalg",
                "RSA",
                "-keysize",
                "2048",
                "-validity",
                "1",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "SAN=IP:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                STORE_PASSWORD);
        return store;
    }

    private Path exported(Path store) throws Exception {
        Path certificate = directory.resolve("registry.pem");
        keytool(
                "-exportcert",
                "-rfc",
                "-alias",
                "registry",
                "-keystore",
                store.toString(),
                "-storepass",
                STORE_PASSWORD,
                "-file",
                certificate.toString());
        return certificate;
    }

    private static void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0)
                .as(said)
                .isTrue();
    }
}
