package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BoundaryWatchTest {
    private static final long HOUR = Duration.ofHours(1).toMillis();
    private static final int K = 16;

    private final BoundaryWatch watch = new BoundaryWatch(0);

    @Test
    void firstStepThatIsHeardOfIsWhereCountingBegins() {
        watch.heard(160_000, 10);
        assertThat(watch.at(10, K).boundaries()).isZero();

        watch.heard(160_000 + 5 * K, 20);
        assertThat(watch.at(20, K).boundaries()).isEqualTo(5);
    }

    @Test
    void whatIsHeardLateOrTwiceCountsForNothing() {
        watch.from(0);
        watch.heard(10 * K, 1);
        watch.heard(3 * K, 2);
        watch.heard(10 * K, 3);
        watch.heard(11 * K, 4);

        assertThat(watch.at(4, K).boundaries()).isEqualTo(11);
    }

    @Test
    void engineThatCountsAnewLosesNothingAndGainsNothing() {
        watch.from(0);
        watch.heard(10 * K, 1);
        watch.from(2 * K);
        assertThat(watch.at(1, K).boundaries()).isEqualTo(10);

        watch.heard(4 * K, 2);
        assertThat(watch.at(2, K).boundaries()).isEqualTo(12);
    }

    @Test
    void silenceIsAnHourOrEightTimesAsLongAsEverBeforeAndADayAtMost() {
        assertThat(watch.at(HOUR - 1, K).silent()).isFalse();
        assertThat(watch.at(HOUR, K).silent()).isTrue();

        watch.from(0);
        watch.heard(K, HOUR);
        assertThat(watch.at(9 * HOUR - 1, K).silent()).isFalse();
        assertThat(watch.at(9 * HOUR, K).silent()).isTrue();

        watch.heard(2 * K, 9 * HOUR);
        assertThat(watch.at(33 * HOUR - 1, K).silent()).isFalse();
        assertThat(watch.at(33 * HOUR, K).silent()).isTrue();
    }
}
