package dev.plimsoll.app.command;

import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where Kafka is. */
public final class KafkaOptions {
    @Option(names = "--bootstrap-servers", paramLabel = "HOST:PORT", description = "Kafka cluster to use.")
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
                bootstrapServers != null && !bootstrapServers.isBlank(),
                "--bootstrap-servers is missing: name the cluster as host:port, or start one with 'plimsoll broker'");
        check(problems);
    }

    public void check(Problems problems) {
        if (propertiesFile != null && !Files.isReadable(propertiesFile)) {
            problems.add("--kafka-properties: cannot read " + propertiesFile);
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
                throw new java.io.UncheckedIOException("cannot read " + propertiesFile, e);
            }
            properties.stringPropertyNames().forEach(name -> map.put(name, properties.getProperty(name)));
        }
        return map;
    }
}
