package dev.plimsoll.app.broker;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/**
 * A Kafka broker as an operator secures it: a listener with TLS and one with TLS and passwords (SCRAM-SHA-512), on loopback. Its
 * certificate is its own authority, made by keytool for this one run.
 */
public final class SecuredBroker implements AutoCloseable {
    private static final String STORE_PASSWORD = "of-this-test-only";

    private final KafkaRaftServer server;
    private final Path authority;
    private final int tlsPort;
    private final int scramPort;

    private SecuredBroker(KafkaRaftServer server, Path authority, int tlsPort, int scramPort) {
        this.server = server;
        this.authority = authority;
        this.tlsPort = tlsPort;
        this.scramPort = scramPort;
    }

    /** Starts one that knows one user. */
    public static SecuredBroker start(Path directory, String user, String password) {
        Path keys = keys(directory);
        int plain = Ports.free();
        int controller = freeBut(plain);
        int tls = freeBut(plain, controller);
        int scram = freeBut(plain, controller, tls);
        Properties settings = new Properties();
        settings.putAll(
                new BrokerSettings(directory.resolve("log"), 1, BrokerCluster.alone(plain, controller)).asMap());
        settings.putAll(Map.of(
                "listeners",
                "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d,SSL://127.0.0.1:%d,SASL_SSL://127.0.0.1:%d"
                        .formatted(plain, controller, tls, scram),
                "advertised.listeners",
                "PLAINTEXT://127.0.0.1:%d,SSL://127.0.0.1:%d,SASL_SSL://127.0.0.1:%d".formatted(plain, tls, scram),
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL",
                "sasl.enabled.mechanisms",
                "SCRAM-SHA-512",
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "ssl.keystore.type",
                "PKCS12",
                "ssl.keystore.location",
                keys.toString(),
                "ssl.keystore.password",
                STORE_PASSWORD,
                "ssl.key.password",
                STORE_PASSWORD));
        format(directory, settings, "SCRAM-SHA-512=[name=" + user + ",password=" + password + "]");
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(settings, false), Time.SYSTEM);
        server.startup();
        return new SecuredBroker(server, exported(keys), tls, scram);
    }

    /** The certificate that clients have to trust, as PEM. */
    public Path authority() {
        return authority;
    }

    public String tls() {
        return "127.0.0.1:" + tlsPort;
    }

    /** Where a password is asked for, over TLS. */
    public String scram() {
        return "127.0.0.1:" + scramPort;
    }

    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
    }

    private static int freeBut(int... taken) {
        int port = Ports.free();
        while (contains(taken, port)) {
            port = Ports.free();
        }
        return port;
    }

    private static boolean contains(int[] ports, int port) {
        return IntStream.of(ports).anyMatch(taken -> taken == port);
    }

    private static void format(Path directory, Properties settings, String scram) {
        Path file = directory.resolve("format.properties");
        try (Writer out = Files.newBufferedWriter(file)) {
            settings.store(out, "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        String[] command = {
            "format", "--cluster-id", Uuid.randomUuid().toString(), "--config", file.toString(), "--add-scram", scram
        };
        if (StorageTool.execute(command, new PrintStream(output, true, StandardCharsets.UTF_8)) != 0) {
            throw new IllegalStateException(output.toString(StandardCharsets.UTF_8));
        }
    }

    private static Path keys(Path directory) {
        Path store = directory.resolve("broker.p12");
        keytool(
                "-genkeypair",
                "-alias",
                "broker",
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

    private static Path exported(Path store) {
        Path certificate = store.resolveSibling("ca.pem");
        keytool(
                "-exportcert",
                "-rfc",
                "-alias",
                "broker",
                "-keystore",
                store.toString(),
                "-storepass",
                STORE_PASSWORD,
                "-file",
                certificate.toString());
        return certificate;
    }

    private static void keytool(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(command + ": " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
