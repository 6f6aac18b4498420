package dev.plimsoll.replay.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.score.PlannerBench.Settings;
import dev.plimsoll.replay.score.PlannerScores.PlanScore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Two ranks with two slots each and four experts, all by hand. */
class PlannerBenchTest {
    private static final EpConfiguration TWO_RANKS = new EpConfiguration(2, 0, 1);
    private static final Settings EVERY_WINDOW = new Settings(1, 48);

    /** By window; served from the initial placement 0 1 | 2 3. */
    private final Workload workload = new Workload(
            "by-hand",
            List.of(
                    window(0, new long[] {4, 2, 1, 1}, new long[] {1, 1, 1, 1}),
                    window(1, new long[] {4, 2, 1, 1}, new long[] {0, 0, 0, 0}),
                    window(2, new long[] {2, 2, 4, 0}, new long[] {3, 1, 1, 1}),
                    window(3, new long[] {8, 0, 0, 0}, new long[] {1, 1, 1, 1})));

    private static ExpertLoad window(int index, long[]... load) {
        return ExpertLoad.of(index, load);
    }

    /** A policy that gives both layers of each plan what a table says, by the newest window. */
    private record ByTable(Function<Integer, int[]> table, Map<Integer, List<Long>> seen) implements Policy {
        ByTable(Function<Integer, int[]> table) {
            this(table, new TreeMap<>());
        }

        @Override
        public String name() {
            return "by-table";
        }

        @Override
        public LayerPlan plan(PlanRequest request, int layer) {
            int newest = (int) request.newest().windowIndex();
            seen.put(
                    newest,
                    request.windows().stream().map(ExpertLoad::windowIndex).toList());
            return new LayerPlan(table.apply(newest), Optional.empty());
        }
    }

    private PlannerScores run(Policy policy, Settings settings) {
        return PlannerBench.run(workload, TWO_RANKS, policy, settings, (scored, of) -> {});
    }

    @Test
    void aPlanIsScoredOnTheWindowAfterTheOnesItWasMadeFrom() {
        PlannerScores scores =
                run(new ByTable(newest -> newest < 2 ? new int[] {0, 2, 1, 3} : new int[] {0, 1, 2, 3}), EVERY_WINDOW);

        // Window 1 under 0 2 | 1 3: 5 and 3, mean 4; its second layer has no load. Window 2: 6 and 2; 4 and 2, mean 3.
        // Window 3 under 0 1 | 2 3: 8 and 0; 2 and 2.
        assertThat(scores.balancedness())
                .containsExactly(new double[] {0.8}, new double[] {4.0 / 6, 0.75}, new double[] {0.5, 1});
        assertThat(scores.next()).isCloseTo((0.8 + 4.0 / 6 + 0.75 + 0.5 + 1) / 5, within(1e-12));
        // Window 0 under 0 2 | 1 3: 5 and 3; 2 and 2. Window 2 under 0 1 | 2 3: 4 and 4; 4 and 2.
        assertThat(scores.plans().stream().map(PlanScore::inSample))
                .containsExactly(new double[] {0.8, 1}, new double[] {0.8}, new double[] {1, 0.75});
        assertThat(scores.inSample()).isCloseTo((0.8 + 1 + 0.8 + 1 + 0.75) / 5, within(1e-12));
        assertThat(scores.movesFirst()).isEqualTo(2);
        // None, then two.
        assertThat(scores.movesSteady()).isEqualTo(1);
        assertThat(scores.movedShare()).isEqualTo(0.25);
        assertThat(scores.maxIntoRank()).isEqualTo(1);
        assertThat(scores.invalid()).isZero();
    }

    @Test
    void anOtherOrderWithinARankIsNoMove() {
        PlannerScores scores =
                run(new ByTable(newest -> newest == 0 ? new int[] {1, 0, 3, 2} : new int[] {2, 3, 0, 1}), EVERY_WINDOW);

        assertThat(scores.movesFirst()).isZero();
        assertThat(scores.plans().get(1).moves()).isEqualTo(4);
        assertThat(scores.maxIntoRank()).isEqualTo(2);
        assertThat(scores.plans().get(2).moves()).isZero();
    }

    @Test
    void aPlanThatMayNotBeServedIsCountedAndThePlacementStays() {
        PlannerScores scores =
                run(new ByTable(newest -> newest == 1 ? new int[] {0, 0, 1, 2} : new int[] {0, 2, 1, 3}), EVERY_WINDOW);

        assertThat(scores.invalid()).isEqualTo(1);
        assertThat(scores.plans().get(1).valid()).isFalse();
        assertThat(scores.plans().get(1).moves()).isZero();
        assertThat(scores.balancedness().get(1)).containsExactly(4.0 / 6, 0.75);
    }

    @Test
    void aPolicyThatFailsIsNamedWithWhatItFailedOn() {
        ByTable policy = new ByTable(newest -> {
            if (newest == 2) {
                throw new IllegalArgumentException("no such group");
            }
            return new int[] {0, 1, 2, 3};
        });

        assertThatIllegalStateException()
                .isThrownBy(() -> run(policy, EVERY_WINDOW))
                .withMessageContaining("policy by-table cannot plan from window 2 of by-hand for 2 ranks")
                .withMessageContaining("no such group");
    }

    @Test
    void allWindowsAreScoredWherePlansAreRare() {
        PlannerScores scores = run(new ByTable(newest -> new int[] {0, 2, 1, 3}), new Settings(2, 48));

        assertThat(scores.plans().stream().map(PlanScore::window)).containsExactly(0, 2);
        assertThat(scores.windowsScored()).isEqualTo(3);
        assertThat(scores.movesFirst()).isEqualTo(2);
        assertThat(scores.movesSteady()).isZero();
    }

    @Test
    void aPolicySeesNoWindowAfterTheNewestAndNoMoreThanItsHistory() {
        ByTable policy = new ByTable(newest -> new int[] {0, 1, 2, 3});

        run(policy, new Settings(1, 2));

        assertThat(policy.seen())
                .containsExactly(
                        Map.entry(0, List.of(0L)), Map.entry(1, List.of(0L, 1L)), Map.entry(2, List.of(1L, 2L)));
    }

    @Test
    void progressIsToldAfterEveryWindow() {
        List<Integer> told = new ArrayList<>();
        PlannerBench.run(workload, TWO_RANKS, Policy.named("static"), EVERY_WINDOW, (scored, of) -> {
            assertThat(of).isEqualTo(3);
            told.add(scored);
        });

        assertThat(told).containsExactly(1, 2, 3);
    }

    @Test
    void firstWindowsAloneAreScoredWithTheirOwnPlans() {
        PlannerScores scores =
                run(new ByTable(newest -> newest < 2 ? new int[] {0, 2, 1, 3} : new int[] {0, 1, 2, 3}), EVERY_WINDOW);

        assertThat(scores.next(1)).isEqualTo(0.8);
        assertThat(scores.next(2)).isCloseTo((0.8 + 4.0 / 6 + 0.75) / 3, within(1e-12));
        assertThat(scores.movedShare(1)).isZero();
        assertThat(scores.movedShare(2)).isZero();
        assertThat(scores.movedShare(3)).isEqualTo(0.25);
    }

    @Test
    void quantilesLieBetweenNeighboursAsNumPysDo() {
        assertThat(Quantile.of(new double[] {4, 1, 3, 2}, 0.05)).isCloseTo(1.15, within(1e-12));
        assertThat(Quantile.of(new double[] {4, 1, 3, 2}, 0.5)).isEqualTo(2.5);
        assertThat(Quantile.of(new double[] {4, 1, 3, 2}, 1)).isEqualTo(4);
        assertThat(Quantile.of(new double[] {7}, 0.99)).isEqualTo(7);
        assertThat(Quantile.of(new double[0], 0.5)).isNaN();
    }
}
