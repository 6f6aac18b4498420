package dev.plimsoll.app.command;

import dev.plimsoll.app.Failures;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Where Kafka is. */
public final class KafkaOptions {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaOptions.class);

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT,…",
            required = true,
            description = "Kafka cluster to use.")
    @Nullable
    private String bootstrapServers;

    @Option(
            names = "--kafka-properties",
            paramLabel = "FILE",
            description = "Client properties (security, tuning), passed to every Kafka client.")
    @Nullable
    private Path propertiesFile;

    public boolean given() {
        return bootstrapServers != null;
    }

    /** Checks that a cluster was named; for roles that need one. */
    public void require(Problems problems) {
        problems.require(
                bootstrapServers != null,
                "--bootstrap-servers is missing: name the cluster as host:port, or start one with 'plimsoll broker'");
        check(problems);
    }

    public void check(Problems problems) {
        if (propertiesFile != null && !Files.isRegularFile(propertiesFile)) {
            problems.add("--kafka-properties: no file " + propertiesFile);
            return;
        }
        if (bootstrapServers != null && bootstrapServers.isBlank()) {
            problems.add("--bootstrap-servers is empty: name the cluster as host:port");
            return;
        }
        try {
            settings(bootstrapServers == null ? "127.0.0.1:1" : bootstrapServers);
        } catch (IllegalArgumentException | UncheckedIOException e) {
            problems.add("--kafka-properties: ", e);
            return;
        }
        if (bootstrapServers != null) {
            checkClient(problems, settings(bootstrapServers));
        }
    }

    /** Making a client connects to nothing, but finds what is wrong with addresses, credentials and key stores. */
    private static void checkClient(Problems problems, KafkaSettings settings) {
        try (TopicAdmin admin = new TopicAdmin(settings, Duration.ofSeconds(1))) {
            LOG.debug("a client can be made: {}", admin);
        } catch (RuntimeException e) {
            Failures told = Failures.of(e);
            if (told.exitCode() == ExitCode.USAGE) {
                problems.add(told.line());
            } // a host that nobody knows may be known soon: whoever needs it says so
        }
    }

    public KafkaSettings settings() {
        if (bootstrapServers == null) {
            throw new IllegalStateException("no bootstrap servers: check() was not called");
        }
        return settings(bootstrapServers);
    }

    public KafkaSettings settings(String servers) {
        return new KafkaSettings(servers, properties());
    }

    private Map<String, String> properties() {
        Map<String, String> map = new HashMap<>();
        if (propertiesFile != null) {
            Properties properties = new Properties();
            try (Reader reader = Files.newBufferedReader(propertiesFile)) {
                properties.load(reader);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + propertiesFile, e);
            }
            properties.stringPropertyNames().forEach(name -> map.put(name, properties.getProperty(name)));
        }
        return map;
    }
}
