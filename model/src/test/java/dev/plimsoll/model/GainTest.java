package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class GainTest {
    @Test
    void whatIsSavedIsCountedAgainstWhatItWouldHaveTaken() {
        assertThat(Gain.of(4, 3)).isEqualTo(0.25);
        assertThat(Gain.of(4, 4)).isZero();
        assertThat(Gain.of(4, 0)).isEqualTo(1);
    }

    @Test
    void aChangeForTheWorseGainsLessThanNothing() {
        assertThat(Gain.of(4, 5)).isEqualTo(-0.25);
    }

    @Test
    void tokensThatTakeNothingLeaveNothingToGain() {
        assertThat(Gain.of(0, 0)).isZero();
    }

    @Test
    void whatIsNoCostIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Gain.of(-1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> Gain.of(1, Double.NaN));
    }
}
