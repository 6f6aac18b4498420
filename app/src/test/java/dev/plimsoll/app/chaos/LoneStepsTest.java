package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import org.junit.jupiter.api.Test;

class LoneStepsTest {
    private final LoneSteps steps = new LoneSteps();

    @Test
    void ranksOfAGroupThatPublishTogetherServeNoneAlone() {
        steps.add(sample(1, 4, 4, 0, 8));
        steps.add(sample(1, 4, 4, 8, 96));

        assertThat(steps.of(1, 4)).isZero();
    }

    @Test
    void stepsAloneCountFromTheFirstBoundaryAtWhichARankPublishesForItself() {
        steps.add(sample(1, 4, 4, 0, 40));
        steps.add(sample(1, 5, 1, 40, 48));
        steps.add(sample(1, 5, 1, 48, 104));

        assertThat(steps.of(1, 5)).isEqualTo(56);
        assertThat(steps.of(1, 4)).isZero();
    }

    @Test
    void rankThatItsGroupPublishesAgainWasNotAlone() {
        steps.add(sample(1, 5, 1, 40, 48));
        steps.add(sample(1, 4, 4, 48, 56));
        steps.add(sample(1, 5, 1, 96, 104));
        steps.add(sample(1, 5, 1, 104, 112));

        assertThat(steps.of(1, 5)).isEqualTo(8);
    }

    @Test
    void nextIncarnationBeginsAtNoneAndTheOneBeforeIsForgotten() {
        steps.add(sample(1, 5, 1, 40, 48));
        steps.add(sample(1, 5, 1, 48, 104));
        steps.add(sample(2, 5, 1, 0, 8));
        steps.add(sample(1, 5, 1, 104, 112));

        assertThat(steps.of(1, 5)).isZero();
        assertThat(steps.of(2, 5)).isZero();
    }

    private static LoadSample sample(long incarnation, int firstRank, int ranks, int from, int to) {
        return new LoadSample(
                new Deployment("test/decode-0"),
                incarnation,
                new StepRange(from, to),
                Phase.DECODE,
                "test",
                firstRank,
                ranks,
                0,
                1,
                1,
                PlacementState.settled(0),
                false,
                LongVector.empty(),
                Counters.of(new long[ranks]));
    }
}
