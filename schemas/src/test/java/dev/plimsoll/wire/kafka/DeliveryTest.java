package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class DeliveryTest {
    private static final Instant NOON = Instant.parse("2030-01-01T12:00:00Z");

    private final Delivery delivery = new Delivery(InstantSource.fixed(NOON));

    @Test
    void nothingFailsBeforeAnythingWasWritten() {
        assertThat(delivery.failingSince()).isEmpty();
        assertThat(delivery.arrived()).isEmpty();
    }

    @Test
    void outageBeginsWithItsFirstFailureAndEndsWithTheNextArrivalEachToldOnce() {
        assertThat(delivery.failed()).isTrue();
        assertThat(delivery.failed()).isFalse();
        assertThat(delivery.failingSince()).contains(NOON);

        assertThat(delivery.arrived()).contains(NOON);
        assertThat(delivery.arrived()).isEmpty();
        assertThat(delivery.failingSince()).isEmpty();
        assertThat(delivery.failed()).isTrue();
    }
}
