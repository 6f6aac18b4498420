package dev.plimsoll.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PairsTest {
    /** Either of two that take the same is woken in 3 or in 10, and which mode holds the median is chance. */
    @Test
    void whatBothSufferIsNoDifference() {
        Pairs pairs = new Pairs();
        for (int i = 0; i < 5000; i++) {
            int both = i % 2 == 0 ? 3000 : 10_000;
            pairs.add(both, both + 400);
        }
        assertThat(pairs.count()).isEqualTo(5000);
        assertThat(pairs.more()).isEqualTo(400);
        assertThat(pairs.low()).isEqualTo(400);
        assertThat(pairs.high()).isEqualTo(400);
    }

    @Test
    void theTrueMedianLiesWithinTheBoundsInNineteenOfTwentyRuns() {
        Random random = new Random(15);
        int within = 0;
        for (int run = 0; run < 400; run++) {
            Pairs pairs = new Pairs();
            for (int i = 0; i < 101; i++) {
                pairs.add(1000, 1000 + Math.round(700 + 300 * random.nextGaussian()));
            }
            within += pairs.low() <= 700 && pairs.high() >= 700 ? 1 : 0;
        }
        assertThat(within).isBetween(370, 396);
    }

    @Test
    void nothingMeasuredIsNothingClaimed() {
        Pairs none = new Pairs();
        assertThat(none.more()).isZero();
        assertThat(none.share()).isZero();
        Pairs one = new Pairs();
        one.add(10, 15);
        assertThat(one.low()).isEqualTo(5);
        assertThat(one.high()).isEqualTo(5);
        assertThat(one.share()).isEqualTo(0.5);
    }
}
