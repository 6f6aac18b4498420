package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

class DeliveryTest {
    private static final Instant NOON = Instant.parse("2030-01-01T12:00:00Z");

    private final AtomicReference<Instant> now = new AtomicReference<>(NOON);
    private final Delivery delivery = new Delivery(now::get);

    @Test
    void nothingFailsBeforeAnythingWasWritten() {
        assertThat(delivery.failingSince()).isEmpty();
        delivery.arrived();
        assertThat(delivery.failingSince()).isEmpty();
    }

    @Test
    void outageBeginsWithItsFirstFailureAndEndsWithTheNextArrival() {
        delivery.failed();
        now.set(NOON.plusSeconds(1));
        delivery.failed(new TimeoutException("no broker"));
        assertThat(delivery.failingSince()).contains(NOON);

        delivery.arrived();
        assertThat(delivery.failingSince()).isEmpty();
        delivery.failed();
        assertThat(delivery.failingSince()).contains(NOON.plusSeconds(1));
    }

    @Test
    void whatIsNoMatterOfAnAwayClusterIsToBeToldOnceUntilAWriteArrives() {
        assertThat(delivery.failed(new TimeoutException("no broker"))).isFalse();
        assertThat(delivery.failed(new RejectedExecutionException("too many"))).isFalse();
        assertThat(delivery.failed(new TopicAuthorizationException("no right"))).isTrue();
        assertThat(delivery.failed(new TopicAuthorizationException("no right"))).isFalse();

        delivery.arrived();
        assertThat(delivery.failed(new IllegalStateException("broken"))).isTrue();
    }
}
