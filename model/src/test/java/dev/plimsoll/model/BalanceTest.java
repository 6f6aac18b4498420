package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class BalanceTest {
    @Test
    void equalRanksArePerfect() {
        assertThat(Balance.ofLayer(new long[] {5, 5, 5, 5})).hasValue(1);
    }

    @Test
    void oneRankThatDoesAllTheWorkGivesOneOverRanks() {
        assertThat(Balance.ofLayer(new long[] {0, 0, 12, 0})).hasValue(0.25);
    }

    @Test
    void layersWithoutLoadAreLeftOut() {
        Balance balance = Balance.of(new long[][] {{0, 0}, {3, 1}, {1, 1}});

        assertThat(balance.layers()).isEqualTo(2);
        assertThat(balance.mean()).isCloseTo((2.0 / 3 + 1) / 2, within(1e-12));
        assertThat(balance.min()).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(balance.worstLayer()).isEqualTo(1);
    }

    @Test
    void nothingLoadedIsSaidAndNotCalledPerfect() {
        Balance balance = Balance.of(new long[][] {{0, 0}});

        assertThat(balance.loaded()).isFalse();
        assertThat(balance.mean()).isNaN();
        assertThat(Balance.over(new OptionalDouble[0])).isEqualTo(balance);
    }

    @Test
    void wholeAndExpectedLoadsAgree() {
        assertThat(Balance.ofLayer(new double[] {6, 2, 4})).isEqualTo(Balance.ofLayer(new long[] {6, 2, 4}));
    }

    @Test
    void theFirstOfEquallyBadLayersIsTheWorst() {
        assertThat(Balance.of(new long[][] {{1, 1}, {3, 1}, {6, 2}}).worstLayer())
                .isEqualTo(1);
    }

    @Test
    void loadsThatAreNoLoadsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Balance.ofLayer(new long[] {1, -1}));
        assertThatIllegalArgumentException().isThrownBy(() -> Balance.ofLayer(new double[] {1, Double.NaN}));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Balance.ofLayer(new double[] {1, Double.POSITIVE_INFINITY}));
    }
}
