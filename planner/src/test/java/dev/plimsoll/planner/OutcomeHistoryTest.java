package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.planner.placement.Experience;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class OutcomeHistoryTest {
    private final OutcomeHistory history = new OutcomeHistory();

    private static Outcome outcome(
            long incarnation,
            int version,
            boolean last,
            double promised,
            double gain,
            double spread,
            int lasted,
            boolean halved) {
        return new Outcome(
                new Deployment("r1/decode-0"),
                incarnation,
                version,
                10,
                3,
                0.8,
                0.9,
                new Balance(0.9, 0.9, 0, 1),
                OptionalDouble.of(promised),
                Optional.empty(),
                Optional.of(new MeasuredGain(
                        5,
                        10,
                        14,
                        last,
                        gain,
                        spread,
                        lasted,
                        halved,
                        0.9,
                        0.8,
                        OptionalDouble.empty(),
                        OptionalDouble.empty(),
                        OptionalDouble.empty())));
    }

    private void measured(int version, double promised, double gain) {
        history.add(outcome(1, version, true, promised, gain, 0, 5, false));
    }

    @Test
    void nothingIsLearnedOfADecisionThatIsMeasuredStill() {
        history.add(outcome(1, 1, false, 0.2, -0.1, 0.3, 0, true));

        assertThat(history.experience("plimsoll")).isEqualTo(Experience.NONE);
        assertThat(history.of(1, 1)).isPresent();
    }

    @Test
    void theNewestOutcomeOfADecisionCounts() {
        history.add(outcome(1, 1, false, 0.2, -0.1, 0.3, 0, true));
        history.add(outcome(1, 1, true, 0.2, 0.2, 0.01, 5, false));

        assertThat(history.experience("plimsoll").delivered()).isEqualTo(1);
        assertThat(history.experience("plimsoll").decisions()).isEqualTo(1);
        // Of five windows.
        assertThat(history.experience("plimsoll").noise()).isEqualTo(0.01 / Math.sqrt(5));
    }

    @Test
    void oneDecisionThatDidNotDeliverIsNoRule() {
        measured(1, 0.2, 0.2);
        measured(2, 0.2, 0.19);
        measured(3, 0.02, -0.5);

        // The median of 1, 0.95 and 0, and two decisions besides that are taken to have delivered.
        assertThat(history.experience("plimsoll").delivered()).isEqualTo((3 * 0.95 + 2) / 5, within(1e-12));
    }

    @Test
    void aDeploymentThatNeverDeliversIsBelievedLessAndLess() {
        double before = 1;
        for (int version = 1; version <= 8; version++) {
            measured(version, 0.1, 0);
            double delivered = history.experience("plimsoll").delivered();
            assertThat(delivered).isLessThan(before);
            before = delivered;
        }
        assertThat(before).isEqualTo(0.2, within(1e-12));
    }

    @Test
    void moreThanWasPromisedIsNoMoreThanAll() {
        measured(1, 0.1, 0.5);

        assertThat(history.experience("plimsoll").delivered()).isEqualTo(1);
    }

    @Test
    void whatEndsByChanceIsWatchedForAsLongAsItIsThereAndNotOnlyWhereItEnds() {
        history.add(outcome(1, 1, true, 0.1, 0.1, 0.01, 4, true));
        history.add(outcome(1, 2, true, 0.1, 0.1, 0.01, 5, false));
        history.add(outcome(1, 3, true, 0.1, 0.1, 0.01, 2, true));

        // 11 windows were watched and the gain has halved twice.
        assertThat(history.experience("plimsoll").lastingWindows()).hasValue(6);
    }

    @Test
    void nobodyKnowsHowLongGainsLastThatHaveNotHalved() {
        measured(1, 0.1, 0.1);

        assertThat(history.experience("plimsoll").lastingWindows()).isEmpty();
    }

    @Test
    void outcomesOfPlannersThatDidNotMeasureTeachNothing() {
        history.add(new Outcome(new Deployment("a"), 1, 1, 10, 3, 0.8, 0.9, new Balance(0.9, 0.9, 0, 1)));

        assertThat(history.experience("plimsoll")).isEqualTo(Experience.NONE);
    }

    @Test
    void earlierIncarnationsOfTheDeploymentTeachAndTheOldestAreForgotten() {
        measured(1, 0.1, 0);
        for (int version = 1; version <= 16; version++) {
            history.add(outcome(2, version, true, 0.1, 0.1, 0, 5, false));
        }

        assertThat(history.of(1, 1)).isEmpty();
        assertThat(history.of(2, 1)).isPresent();
        assertThat(history.experience("plimsoll").decisions()).isEqualTo(16);
        assertThat(history.experience("plimsoll").delivered()).isEqualTo(1);
    }

    @Test
    void promisesOfAnotherPolicySayNothingOfOnes() {
        history.add(by("swift", outcome(1, 1, true, 0.2, 0, 0, 5, false)));
        history.add(by("plimsoll", outcome(1, 2, true, 0.2, 0.2, 0, 5, false)));

        assertThat(history.experience("plimsoll").delivered()).isEqualTo(1);
        assertThat(history.experience("plimsoll").decisions()).isEqualTo(1);
        assertThat(history.experience("swift").delivered()).isEqualTo(2.0 / 3);
        assertThat(history.experience("static")).isEqualTo(Experience.NONE);
    }

    @Test
    void promiseOfNobodyKnowsWhomCountsForEveryPolicy() {
        history.add(outcome(1, 1, true, 0.2, 0, 0, 5, false));

        assertThat(history.experience("plimsoll").decisions()).isEqualTo(1);
        assertThat(history.experience("plimsoll")).isEqualTo(history.experience("swift"));
    }

    private static Outcome by(String policy, Outcome of) {
        return new Outcome(
                of.deployment(),
                of.incarnation(),
                of.version(),
                of.windowIndex(),
                of.moves(),
                of.before(),
                of.predicted(),
                of.realised(),
                of.promisedGain(),
                of.step(),
                of.measured(),
                Optional.of(policy));
    }
}
