package dev.plimsoll.wire.kafka;

import java.util.Map;

/**
 * How to reach a cluster.
 *
 * @param properties passed to every client as they are (security, tuning); what we must set ourselves wins, and a contradiction
 *     is refused by name
 */
public record KafkaSettings(String bootstrapServers, Map<String, String> properties) {
    public KafkaSettings {
        properties = Map.copyOf(properties);
        if (bootstrapServers.isBlank()) {
            throw new IllegalArgumentException("bootstrap servers are missing: give host:port[,host:port...]");
        }
        ClientProperties.refuseContradictions(properties);
    }

    public static KafkaSettings of(String bootstrapServers) {
        return new KafkaSettings(bootstrapServers, Map.of());
    }
}
