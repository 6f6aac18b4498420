package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KneeTest {
    private static final List<Integer> SLOTS = List.of(0, 16, 32, 48);

    @Test
    void theKneeIsTheFewestSlotsWithinSomePercentOfTheBest() {
        assertThat(Knee.of(SLOTS, List.of(130.0, 101.0, 100.0, 100.5), 1)).isEqualTo(16);
        assertThat(Knee.of(SLOTS, List.of(130.0, 101.5, 100.0, 100.5), 1)).isEqualTo(32);
        assertThat(Knee.of(SLOTS, List.of(130.0, 101.0, 100.5, 100.0), 0)).isEqualTo(48);
        assertThat(Knee.of(SLOTS, List.of(130.0, 101.0, 100.5, 100.0), 40)).isZero();
    }

    @Test
    void whereRedundancyCostsTimeTheKneeIsTheFewest() {
        assertThat(Knee.of(SLOTS, List.of(189.0, 206.0, 223.0, 240.0), 1)).isZero();
    }

    @Test
    void nothingWithFewerSlotsIsWithinAndTheKneeIs() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            List<Double> micros = new ArrayList<>();
            SLOTS.forEach(slots -> micros.add(100 + 10 * random.nextDouble()));
            double within = 5 * random.nextDouble();
            double limit = micros.stream().min(Double::compare).orElseThrow() * (1 + within / 100);

            int at = SLOTS.indexOf(Knee.of(SLOTS, micros, within));

            assertThat(micros.get(at)).as("seed %d", seed).isLessThanOrEqualTo(limit);
            assertThat(micros.subList(0, at)).as("seed %d", seed).allMatch(other -> other > limit);
        }
    }

    @Test
    void withoutNumbersThereIsNoKnee() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Knee.of(List.of(0), List.of(Double.NaN), 1))
                .withMessageContaining("NaN");
    }
}
