package dev.plimsoll.wire.kafka;

import java.util.Map;

/**
 * How to reach a cluster, and who is told how that goes.
 *
 * @param properties passed to every client that knows them (security, tuning). What we must set ourselves is refused by name,
 *     unless it says the same
 * @param listener told of every client made with these settings
 */
public record KafkaSettings(String bootstrapServers, Map<String, String> properties, ClientListener listener) {
    public KafkaSettings {
        properties = Map.copyOf(properties);
        if (bootstrapServers.isBlank()) {
            throw new IllegalArgumentException("bootstrap servers are missing: give host:port[,host:port...]");
        }
        ClientProperties.refuseContradictions(properties);
    }

    public KafkaSettings(String bootstrapServers, Map<String, String> properties) {
        this(bootstrapServers, properties, ClientListener.NONE);
    }

    public static KafkaSettings of(String bootstrapServers) {
        return new KafkaSettings(bootstrapServers, Map.of());
    }

    /** The same cluster, with somebody who is told of the clients. */
    public KafkaSettings told(ClientListener clients) {
        return new KafkaSettings(bootstrapServers, properties, clients);
    }
}
