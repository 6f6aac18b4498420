package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokensPerStepTest {
    private static final int STEPS = 100;

    /** A window of two experts with so many tokens in each step. */
    private static ExpertLoad window(long index, long tokensPerStep) {
        return ExpertLoad.of(index, new long[][] {{tokensPerStep * STEPS / 4, tokensPerStep * STEPS * 3 / 4}})
                .over(STEPS);
    }

    private static TokensPerStep after(long... tokensPerStep) {
        List<ExpertLoad> windows = new ArrayList<>();
        for (long tokens : tokensPerStep) {
            windows.add(window(windows.size(), tokens));
        }
        return TokensPerStep.of(windows, 0);
    }

    @Test
    void isLoadOverSteps() {
        assertThat(after(32).expected()).isCloseTo(32, within(1e-9));
        ExpertLoad longer = ExpertLoad.of(0, new long[][] {{1600, 1600}}).over(10 * STEPS);
        assertThat(TokensPerStep.of(List.of(longer), 0).expected()).isCloseTo(3.2, within(1e-9));
    }

    @Test
    void steadyBatchesLeaveNoDoubt() {
        TokensPerStep steady = after(64, 64, 64, 64, 64);

        assertThat(steady.deviation()).isZero();
        assertThat(steady.scenarios()).containsOnly(steady.scenarios()[0]).hasSize(Scenarios.COUNT);
    }

    @Test
    void batchesThatFellStayWhereTheyFell() {
        assertThat(after(2048, 2048, 2048, 2048, 2048, 32).expected()).isCloseTo(32, within(1.0));
        assertThat(after(32, 32, 32, 32, 2048).expected()).isCloseTo(2048, within(60.0));
    }

    @Test
    void scenariosLieOnBothSidesByWhatForecastsMissed() {
        TokensPerStep swinging = after(100, 200, 100, 200, 100, 200, 100);

        assertThat(swinging.deviation()).isBetween(0.2, 0.9);
        double[] scenarios = swinging.scenarios();
        Arrays.sort(scenarios);
        for (int k = 0; k < Scenarios.COUNT; k++) {
            double sign = k < Scenarios.COUNT / 2 ? -1 : 1;
            assertThat(Math.log1p(scenarios[k]))
                    .isCloseTo(swinging.logarithm() + sign * swinging.deviation(), within(1e-9));
        }
    }

    @Test
    void subSamplesThatDifferAreASpreadToo() {
        long[][][] samples = {{{400, 400}, {6400, 6400}, {400, 400}, {6400, 6400}}};
        ExpertLoad window = ExpertLoad.ofSamples(0, samples).over(STEPS);

        assertThat(TokensPerStep.of(List.of(window), 0).deviation()).isBetween(1.0, 1.4);
    }

    @Test
    void windowsWithoutLoadAreLeftOut() {
        List<ExpertLoad> windows = List.of(window(0, 50), ExpertLoad.none(1, 1, 1, 2), window(2, 50));

        assertThat(TokensPerStep.of(windows, 0).expected()).isCloseTo(50, within(1e-9));
        assertThat(TokensPerStep.of(windows.subList(0, 2), 0).expected()).isCloseTo(50, within(1e-9));
    }

    @Test
    void loadWithoutStepsCannotBePlannedByTime() {
        ExpertLoad window = ExpertLoad.of(7, new long[][] {{1, 2}});
        ModelShape shape = ModelShape.of("two", 2, 1, 0, 1);
        Topology topology = Topology.even(2, 1, 1);
        PlanRequest byTokens = PlanRequest.of(List.of(window), Placement.initial(shape, topology), shape, topology);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> byTokens.withObjective(Objective.time(RandomTimes.ROOFLINE), false))
                .withMessageContaining("window 7")
                .withMessageContaining("steps");
    }
}
