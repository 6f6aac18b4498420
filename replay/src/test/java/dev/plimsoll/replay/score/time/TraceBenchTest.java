package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.time.TraceWindows.Cut;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class TraceBenchTest {
    private static final DeviceProfile PROFILE = new DeviceProfile("p", List.of(new Point(1, 10)), 0);
    private static final EpConfiguration TWO_RANKS = new EpConfiguration(2, 0, 1);

    /** One request of 4 tokens, again and again; token t picks expert t. */
    private static TimeReport run(ScriptedPolicy policy, Objective objective, int history, int steps) {
        TraceWindows windows = TraceWindows.of(MadeUpTraces.numbered(4), 1, new Cut(4, steps));
        return new TraceBench(
                        windows, TWO_RANKS, PROFILE, List.of(new Contender("c", policy, objective, false)), history)
                .run(done -> {});
    }

    private static Contender contender(Function<Integer, int[]> script) {
        return new Contender("c", new ScriptedPolicy(script), Objective.TOKENS, false);
    }

    @Test
    void aPlanSeesTheWindowsBeforeTheOneItIsServedInAndNoMoreThanItsHistory() {
        ScriptedPolicy policy = new ScriptedPolicy(newest -> new int[] {0, 1, 2, 3});

        run(policy, Objective.TOKENS, 2, 2);

        assertThat(policy.asked().stream()
                        .map(request -> request.windows().stream()
                                .map(ExpertLoad::windowIndex)
                                .toList()))
                .containsExactly(List.of(0L), List.of(0L, 1L), List.of(1L, 2L));
        assertThat(policy.asked().stream().map(request -> request.newest().steps()))
                .containsOnly(2L);
        assertThat(policy.asked().stream().map(PlanRequest::objective)).containsOnly(Objective.TOKENS);
    }

    @Test
    void byTimeAPolicyIsToldOfTimeAndOfIdleSlots() {
        ScriptedPolicy policy = new ScriptedPolicy(newest -> new int[] {0, 1, 2, 3});
        Objective time = Objective.time(PROFILE);
        TraceWindows windows = TraceWindows.of(MadeUpTraces.numbered(4), 1, new Cut(2, 2));

        new TraceBench(windows, TWO_RANKS, PROFILE, List.of(new Contender("c", policy, time, true)), 8).run(done -> {});

        assertThat(policy.asked()).hasSize(1).allSatisfy(request -> {
            assertThat(request.objective()).isEqualTo(time);
            assertThat(request.idleSlots()).isTrue();
        });
    }

    @Test
    void movesOfTheFirstPlanAreToldApartAndLaterOnesAreAShareOfSlots() {
        TimeReport report = run(
                new ScriptedPolicy(newest -> newest == 0 ? new int[] {0, 2, 1, 3} : new int[] {3, 2, 1, 0}),
                Objective.TOKENS,
                8,
                2);

        TimeScores scores = report.lines().get(0);
        assertThat(scores.movesFirst()).isEqualTo(2);
        // Two of four slots, then none.
        assertThat(scores.movedShare()).isEqualTo(0.25);
        assertThat(scores.invalid()).isZero();
        assertThat(report.windows()).isEqualTo(3);
    }

    @Test
    void aPlanThatMayNotBeServedIsCountedAndThePlacementStays() {
        ScriptedPolicy policy =
                new ScriptedPolicy(newest -> newest == 1 ? new int[] {0, 0, 1, 2} : new int[] {0, 2, 1, 3});

        TimeScores scores = run(policy, Objective.TOKENS, 8, 2).lines().get(0);

        assertThat(scores.invalid()).isEqualTo(1);
        assertThat(scores.movesFirst()).isEqualTo(2);
        assertThat(scores.movedShare()).isZero();
        assertThat(policy.asked().get(2).settled().layer(0)).containsExactly(0, 2, 1, 3);
        assertThat(policy.asked().get(2).settled().version()).isEqualTo(1);
    }

    @Test
    void contendersServeTheSameTokensAndNoneIsBelowTheBound() {
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            TokenTrace trace = MadeUpTraces.of(random, 2, 8, 2, 20);
            TraceWindows windows = TraceWindows.of(trace, 1 + random.nextInt(20), new Cut(4, 8));
            DeviceProfile profile =
                    new DeviceProfile("p", List.of(new Point(2, 5), new Point(6, 15 + random.nextInt(10))), 0);
            List<Contender> contenders =
                    List.of(contender(newest -> new int[] {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3}), contender(newest ->
                            new int[] {7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4}));
            EpConfiguration configuration = new EpConfiguration(4, 4, 1);

            TimeReport both = new TraceBench(windows, configuration, profile, contenders, 8).run(done -> {});
            TimeReport alone =
                    new TraceBench(windows, configuration, profile, contenders.subList(1, 2), 8).run(done -> {});

            assertThat(both.lines().get(1).micros())
                    .isEqualTo(alone.lines().get(0).micros());
            assertThat(both.bound()).isEqualTo(alone.bound());
            for (TimeScores line : both.lines()) {
                assertThat(line.micros()).hasSize(24);
                assertThat(line.mean()).as("seed %d", seed).isGreaterThanOrEqualTo(both.bound());
            }
        }
    }

    @Test
    void everyServedWindowIsTold() {
        List<Integer> told = new ArrayList<>();
        TraceWindows windows = TraceWindows.of(MadeUpTraces.numbered(4), 1, new Cut(3, 2));

        new TraceBench(windows, TWO_RANKS, PROFILE, List.of(contender(newest -> new int[] {0, 1, 2, 3})), 8)
                .run(told::add);

        assertThat(told).containsExactly(1, 2);
    }

    @Test
    void summariesAreMeansAndQuantilesOfSteps() {
        Summary summary = Summary.of(List.of(1.0, 2.0, 3.0, 10.0));

        assertThat(summary.mean()).isEqualTo(4);
        assertThat(summary.p50()).isEqualTo(2.5);
        assertThat(summary.p99()).isCloseTo(9.79, within(1e-12));
    }
}
