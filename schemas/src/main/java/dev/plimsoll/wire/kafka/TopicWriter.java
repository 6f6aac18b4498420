package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Mono;

/**
 * An idempotent writer of our topics that never blocks its caller: sends happen on a thread of its own.
 *
 * <p>At most {@code inFlight} records are under way; one more fails at once with {@link java.util.concurrent.RejectedExecutionException}.
 */
public final class TopicWriter implements AutoCloseable {
    /** @param deliveryTimeout after which a record that no broker took fails */
    public TopicWriter(KafkaSettings settings, String clientId, int inFlight, Duration deliveryTimeout) {
        throw new UnsupportedOperationException();
    }

    /** Writes a record; the offset when the broker has it. Cold: nothing is sent before subscription. */
    public <T> Mono<Long> write(Output<T> output) {
        throw new UnsupportedOperationException();
    }

    /** Writes records of several topics in one transaction on the caller's thread, fencing an earlier writer of the same id. */
    public static void writeTogether(
            KafkaSettings settings, String transactionalId, List<Output<?>> outputs, Duration timeout) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
