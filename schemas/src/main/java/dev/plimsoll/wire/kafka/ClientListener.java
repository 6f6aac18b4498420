package dev.plimsoll.wire.kafka;

import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/**
 * What the Kafka clients of a role go through, whoever owns them. Called on the clients' threads; must neither block nor throw.
 *
 * <p>Kafka's own types are handed out for the sake of libraries that read their metrics, and for nothing else: a client belongs
 * to its thread.
 */
public interface ClientListener {
    ClientListener NONE = new ClientListener() {};

    default void onOpened(Consumer<?, ?> client) {}

    default void onOpened(Producer<?, ?> client) {}

    /** The client is about to close. */
    default void onClosing(AutoCloseable client) {}

    /** The cluster has answered this client; told often. */
    default void onAnswer(String client) {}

    /**
     * The client waits in vain; told again and again while it does.
     *
     * @param since when it was answered last, or began to wait
     * @return whether people are told of it here, so that the client need not
     */
    default boolean onSilence(String client, Instant since, String why) {
        return false;
    }

    /** The client has ended, and nobody knows of it any more what it told last. */
    default void onGone(String client) {}

    /**
     * How far a loop is behind the last record of its input that readers of committed records may see. Told once a second.
     *
     * @param seconds age of the last record read; 0 where none is left to read, empty where none was read yet
     */
    default void onBehind(String topic, int partition, long records, OptionalDouble seconds) {}

    /** The loop has given the partition away. */
    default void onReleased(String topic, int partition) {}

    /** Tells all of them, in their order. */
    static ClientListener all(ClientListener... listeners) {
        List<ClientListener> each = List.of(listeners);
        return new ClientListener() {
            @Override
            public void onOpened(Consumer<?, ?> client) {
                each.forEach(listener -> listener.onOpened(client));
            }

            @Override
            public void onOpened(Producer<?, ?> client) {
                each.forEach(listener -> listener.onOpened(client));
            }

            @Override
            public void onClosing(AutoCloseable client) {
                each.forEach(listener -> listener.onClosing(client));
            }

            @Override
            public void onAnswer(String client) {
                each.forEach(listener -> listener.onAnswer(client));
            }

            @Override
            public boolean onSilence(String client, Instant since, String why) {
                return each.stream()
                                .filter(listener -> listener.onSilence(client, since, why))
                                .count()
                        > 0;
            }

            @Override
            public void onGone(String client) {
                each.forEach(listener -> listener.onGone(client));
            }

            @Override
            public void onBehind(String topic, int partition, long records, OptionalDouble seconds) {
                each.forEach(listener -> listener.onBehind(topic, partition, records, seconds));
            }

            @Override
            public void onReleased(String topic, int partition) {
                each.forEach(listener -> listener.onReleased(topic, partition));
            }
        };
    }
}
