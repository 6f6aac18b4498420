package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long MILLI = 1_000_000;

    @Test
    void deadlinesDoNotDriftWithTheTimeThatStepsTake() {
        Pace pace = new Pace(3);

        long start = pace.nextDeadline(7 * MILLI);
        long now = start;
        for (int step = 1; step <= 3000; step++) {
            long deadline = pace.nextDeadline(now + 50 * MILLI);
            now = deadline;
        }

        assertThat(start).isEqualTo(7 * MILLI);
        assertThat(now - start).isEqualTo(1_000_000 * MILLI);
    }

    @Test
    void aShortDelayIsCaughtUp() {
        Pace pace = new Pace(100);
        pace.nextDeadline(0);

        assertThat(pace.nextDeadline(900 * MILLI)).isEqualTo(10 * MILLI);
        assertThat(pace.nextDeadline(900 * MILLI)).isEqualTo(20 * MILLI);
    }

    @Test
    void afterALongStallTheRateGoesOnFromNow() {
        Pace pace = new Pace(100);
        pace.nextDeadline(0);

        assertThat(pace.nextDeadline(5_000 * MILLI)).isEqualTo(5_000 * MILLI);
        assertThat(pace.nextDeadline(5_000 * MILLI)).isEqualTo(5_010 * MILLI);
    }

    @Test
    void withoutARateEveryStepIsDueNow() {
        Pace pace = new Pace(0);

        assertThat(pace.nextDeadline(1)).isEqualTo(1);
        assertThat(pace.nextDeadline(2)).isEqualTo(2);
    }
}
