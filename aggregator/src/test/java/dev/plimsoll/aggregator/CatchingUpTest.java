package dev.plimsoll.aggregator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CatchingUpTest {
    private static final long NOW = 1_000_000;

    private final CatchingUp catchingUp = new CatchingUp();

    @Test
    void nothingWaitsAtTheEndOfTheLog() {
        catchingUp.read(NOW - CatchingUp.FAR_MILLIS + 1);
        catchingUp.polled(true, NOW);

        assertThat(catchingUp.waits()).isFalse();
    }

    @Test
    void farBehindWindowsWaitForOthersButNotForLong() {
        catchingUp.read(NOW - CatchingUp.FAR_MILLIS);
        catchingUp.polled(true, NOW);
        assertThat(catchingUp.waits()).isTrue();
        catchingUp.polled(true, NOW + CatchingUp.WAIT_MILLIS - 1);
        assertThat(catchingUp.waits()).isTrue();

        catchingUp.polled(true, NOW + CatchingUp.WAIT_MILLIS);

        assertThat(catchingUp.waits()).isFalse();
    }

    @Test
    void theNextOnesWaitAnew() {
        catchingUp.read(0);
        catchingUp.polled(true, NOW);
        catchingUp.taken();
        assertThat(catchingUp.waits()).isFalse();

        catchingUp.polled(true, NOW + CatchingUp.WAIT_MILLIS);

        assertThat(catchingUp.waits()).isTrue();
    }

    @Test
    void clockThatStepsBackMakesNothingWaitLonger() {
        catchingUp.read(0);
        catchingUp.polled(true, NOW);
        catchingUp.polled(true, NOW - 50_000);

        catchingUp.polled(true, NOW - 50_000 + CatchingUp.WAIT_MILLIS);

        assertThat(catchingUp.waits()).isFalse();
    }

    @Test
    void nothingWaitsBeforeTheFirstRecord() {
        catchingUp.polled(true, NOW);

        assertThat(catchingUp.waits()).isFalse();
    }
}
