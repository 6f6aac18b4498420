package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.Workload;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two ranks with three slots each and four experts, all by hand. */
class WorkloadTimeBenchTest {
    private static final DeviceProfile PROFILE = new DeviceProfile("p", List.of(new Point(1, 10)), 0);
    private static final EpConfiguration CONFIGURATION = new EpConfiguration(2, 2, 1);
    private static final int[] PLACED = {0, 1, 2, 0, 1, 3};

    private final Workload workload = new Workload(
            "by-hand",
            List.of(
                    ExpertLoad.of(0, new long[][] {{40, 40, 40, 40}}),
                    ExpertLoad.of(1, new long[][] {{60, 20, 40, 40}}),
                    ExpertLoad.of(2, new long[][] {{160, 0, 0, 0}})));

    private List<TimeReport> run(ScriptedPolicy policy, Objective objective, Batch per, List<Integer> batches) {
        return new WorkloadTimeBench(
                        workload,
                        CONFIGURATION,
                        PROFILE,
                        List.of(new Contender("c", policy, objective, false)),
                        per,
                        batches,
                        8)
                .run(done -> {});
    }

    @Test
    void windowsAreScoredByTheTimeThatTheSlowestRankIsExpectedToTake() {
        ScriptedPolicy policy = new ScriptedPolicy(newest -> PLACED);
        ExpectedTime expected = new ExpectedTime(PROFILE);

        TimeReport report =
                run(policy, Objective.TOKENS, Batch.SLOT, List.of(2)).get(0);

        // 12 tokens a step: 4.5, 1.5, 3, 3. Experts 0 and 1 are split in halves, ranks are equal.
        double second = expected.micros(2.25) + expected.micros(0.75) + expected.micros(3);
        // All 12 to expert 0.
        double third = expected.micros(6);
        TimeScores scores = report.lines().get(0);
        assertThat(scores.micros().get(0)).isCloseTo(second, within(1e-9));
        assertThat(scores.micros().get(1)).isCloseTo(third, within(1e-9));
        assertThat(scores.balancedness()).isEqualTo(1);
        assertThat(scores.activeExperts())
                .isCloseTo((3 - Math.exp(-2.25) - Math.exp(-0.75) - Math.exp(-3) + 1 - Math.exp(-6)) / 2, within(1e-9));
        assertThat(report.bound()).isLessThanOrEqualTo(scores.mean()).isPositive();
        assertThat(report.subject().tokensPerSlot()).isEqualTo(2);
    }

    @Test
    void tokensPerExpertAreTheSameWhateverTheRedundancy() {
        TimeReport report = run(new ScriptedPolicy(newest -> PLACED), Objective.TOKENS, Batch.EXPERT, List.of(3))
                .get(0);

        // 12 tokens a step, as with 2 for each of 6 slots.
        assertThat(report.lines().get(0).micros())
                .isEqualTo(run(new ScriptedPolicy(newest -> PLACED), Objective.TOKENS, Batch.SLOT, List.of(2))
                        .get(0)
                        .lines()
                        .get(0)
                        .micros());
        assertThat(report.subject().tokensPerSlot()).isEqualTo(2);
    }

    @Test
    void byTokensAPlanIsMadeOnceAndByTimeForEachNumberOfTokens() {
        ScriptedPolicy tokens = new ScriptedPolicy(newest -> new int[] {0, 1, 3, 0, 1, 2});
        ScriptedPolicy time = new ScriptedPolicy(newest -> PLACED);

        List<TimeReport> reports = run(tokens, Objective.TOKENS, Batch.SLOT, List.of(1, 2, 4));
        run(time, Objective.time(PROFILE), Batch.SLOT, List.of(1, 2, 4));

        assertThat(tokens.asked()).hasSize(2);
        assertThat(time.asked()).hasSize(6);
        assertThat(reports.stream().map(report -> report.lines().get(0).movesFirst()))
                .containsOnly(2.0);
        assertThat(reports.stream().map(report -> report.lines().get(0).mean()))
                .isSorted()
                .doesNotHaveDuplicates();
    }

    @Test
    void aWindowIsReadAsStepsAndWithMoreOfTheSameWhereTheyAreFew() {
        ExpertLoad window = ExpertLoad.ofSamples(5, new long[][][] {{{10, 0}, {20, 10}}, {{30, 5}, {5, 0}}});

        // 80 tokens in 2 layers: 40 steps of one token, 4 of ten.
        ExpertLoad many = WorkloadTimeBench.inSteps(window, 1);
        ExpertLoad few = WorkloadTimeBench.inSteps(window, 10);

        assertThat(many.steps()).isEqualTo(40);
        assertThat(many.layer(0)).containsExactly(30, 10);
        assertThat(few.steps()).isEqualTo(32);
        assertThat(few.layer(0)).containsExactly(240, 80);
        assertThat(few.at(1, 1, 0)).isEqualTo(40);
        assertThat(few.windowIndex()).isEqualTo(5);
        assertThat(WorkloadTimeBench.perStep(window, 10)).isDeepEqualTo(new double[][] {{7.5, 2.5}, {8.75, 1.25}});
    }
}
