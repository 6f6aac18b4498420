package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TimeWeighingTest {
    private static final int K = Scenarios.COUNT;

    /** Experts alike in every scenario. */
    private static TimeWeighing alike(
            DeviceProfile profile, int experts, int ranks, int slots, double tokensPerStep, boolean idle) {
        double[] share = new double[experts];
        Arrays.fill(share, 1.0 / experts);
        double[] tokens = new double[K];
        Arrays.fill(tokens, tokensPerStep);
        Scenarios scenarios = Scenarios.of(share, new double[0][], ranks, 0);
        return new TimeWeighing(scenarios, tokens, new ExpectedTime(profile), slots, idle);
    }

    private static double unit(Weighing weighing, int expert, int replicas, int experts) {
        double[] unit = new double[(experts + 1) * K];
        weighing.weigh(expert, replicas, unit, unit.clone(), unit.clone(), unit.clone());
        return unit[expert * K];
    }

    @Test
    void replicaTakesWhatItsPartOfTheTokensOfAStepTakes() {
        TimeWeighing computing = alike(RandomTimes.COMPUTING, 4, 4, 4, 2000, false);

        // 500 tokens an expert: 50 µs, which is what each rank takes; half of them half, a quarter a quarter.
        assertThat(unit(computing, 1, 1, 4)).isCloseTo(1, within(1e-3));
        assertThat(unit(computing, 1, 2, 4)).isCloseTo(0.5, within(0.01));
        assertThat(unit(computing, 1, 4, 4)).isCloseTo(0.25, within(0.01));
    }

    @Test
    void replicaReadsAllWeightsHoweverFewItsTokens() {
        TimeWeighing reading = alike(RandomTimes.ROOFLINE, 4, 4, 4, 80, false);

        assertThat(unit(reading, 1, 1, 4)).isCloseTo(1, within(1e-3));
        assertThat(unit(reading, 1, 2, 4)).isCloseTo(1, within(1e-3));
    }

    @Test
    void spreadOfAStepWeighsToo() {
        // Half of the steps choose nobody: on average 2 of 4 µs, and the other half's 4 µs decide who is the slowest.
        TimeWeighing seldom = alike(RandomTimes.ROOFLINE, 4, 2, 4, 4 * Math.log(2), false);
        double always = unit(alike(RandomTimes.ROOFLINE, 4, 2, 4, 4 * Math.log(2), false), 0, 1, 4);
        double half = unit(seldom, 0, 2, 4);

        // Without the spread: 1 - √½ to ½.
        assertThat(half / always).isGreaterThan((1 - Math.sqrt(0.5)) / 0.5 + 0.01);
    }

    @Test
    void levelsLieBelowTheSlowestRankByTwoDeviationsOfAStep() {
        TimeWeighing many = alike(RandomTimes.COMPUTING, 4, 4, 4, 40_000, false);
        TimeWeighing few = alike(RandomTimes.COMPUTING, 4, 4, 4, 400, false);

        // 10,000 tokens on a rank, give or take 100; and 100, give or take 10.
        assertThat(many.levels(4)[0]).isCloseTo(0.98, within(0.001));
        assertThat(few.levels(4)[0]).isCloseTo(0.8, within(0.01));
        assertThat(many.bound(4)).isEqualTo(1);
    }

    @Test
    void lessAndMoreAreDifferencesAndNeverOfTheWrongSign() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed * 0x9E3779B97F4A7C15L);
            int experts = 2 + random.nextInt(8);
            int ranks = 2 + random.nextInt(5);
            Scenarios scenarios = RandomLayers.scenarios(random, experts, ranks);
            int slots = ranks * ((experts + ranks - 1) / ranks + random.nextInt(2));
            Weighing weighing = new TimeWeighing(
                    scenarios,
                    RandomTimes.tokensPerStep(random, experts),
                    RandomTimes.expected(random),
                    slots,
                    random.nextBoolean());
            double[][] before = weighed(weighing, 1, experts);
            for (int replicas = 1; replicas < ranks; replicas++) {
                double[][] now = weighed(weighing, replicas, experts);
                double[][] then = weighed(weighing, replicas + 1, experts);
                for (int i = 0; i < experts * K; i++) {
                    String as = "seed " + seed + " replicas " + replicas + " of " + i;
                    assertThat(now[0][i]).as(as).isNotNegative();
                    assertThat(now[1][i]).as(as).isEqualTo(then[0][i]);
                    assertThat(now[2][i]).as(as).isNotPositive().isCloseTo(then[0][i] - now[0][i], within(1e-12));
                    assertThat(now[3][i]).as(as).isNotNegative().isCloseTo(before[0][i] - now[0][i], within(1e-12));
                }
                before = now;
            }
            for (double level : weighing.levels(slots)) {
                assertThat(level).as("seed %d", seed).isPositive();
            }
        }
    }

    /** {@code unit, comes, less, more} of all experts with so many replicas. */
    private static double[][] weighed(Weighing weighing, int replicas, int experts) {
        double[][] all = new double[4][(experts + 1) * K];
        for (int expert = 0; expert < experts; expert++) {
            weighing.weigh(expert, replicas, all[0], all[1], all[2], all[3]);
        }
        return all;
    }

    @Test
    void slotThatHoldsNothingWeighsNothing() {
        TimeWeighing idle = alike(RandomTimes.ROOFLINE, 4, 2, 6, 100, true);

        assertThat(unit(idle, 4, 3, 4)).isZero();
        assertThat(idle.idles()).isTrue();
    }

    @Test
    void timeRisesWithLoadWhereComputingTakesLongestAndNotWhereReadingDoes() {
        int[] one = {1, 1, 1, 1};

        assertThat(alike(RandomTimes.COMPUTING, 4, 4, 4, 4000, false).slope(one))
                .isCloseTo(1, within(0.02));
        assertThat(alike(RandomTimes.ROOFLINE, 4, 4, 4, 80, false).slope(one)).isCloseTo(0, within(0.02));
    }

    @Test
    void worthIsTheLeastTimeOverTheTimeThatIsExpected() {
        double[] heaviest = {1, 1, 1, 1, 3, 3, 3, 3};

        assertThat(alike(RandomTimes.ROOFLINE, 4, 4, 4, 80, false).worth(heaviest))
                .isEqualTo(0.5);
    }

    @Test
    void noReplicaIsMadeWhereItWouldOnlyReadWeightsAgain() {
        List<int[]> idle = alike(RandomTimes.ROOFLINE, 8, 4, 12, 80, true).replications(12);
        List<int[]> used = alike(RandomTimes.ROOFLINE, 8, 4, 12, 80, false).replications(12);

        assertThat(idle.get(0)).containsOnly(1);
        assertThat(used)
                .allSatisfy(
                        replicas -> assertThat(Arrays.stream(replicas).sum()).isEqualTo(12));
    }

    @Test
    void slowExpertsAreSplitAndWhatIsLeftGoesWhereItTakesTheLeast() {
        ExpectedTime expected = new ExpectedTime(RandomTimes.ROOFLINE);
        double[] tokens = {200, 20, 20, 1};

        assertThat(Replication.byTime(tokens, expected, 9, 8, 4, true)).containsExactly(2, 1, 1, 1);
        // One more of the first costs nothing while each of its replicas computes for longer than it reads.
        assertThat(Replication.byTime(tokens, expected, 9, 6, 4, false)).containsExactly(3, 1, 1, 1);
        assertThat(Replication.byTime(tokens, expected, 9, 10, 4, false)).containsExactly(4, 1, 1, 4);
        assertThat(Replication.byTime(tokens, expected, 0, 5, 1 + 1, true)).containsExactly(2, 1, 1, 1);
    }

    @Test
    void mostTokensIsWhereExpectedTimeGetsThere() {
        for (ExpectedTime expected : RandomTimes.all()) {
            for (double tokens = 0.0001; tokens < 5e6; tokens *= 1.7) {
                double micros = expected.micros(tokens);
                double most = expected.mostTokens(micros);

                // Without a bound where more tokens never take longer.
                assertThat(most == Double.POSITIVE_INFINITY ? micros : expected.micros(most))
                        .as("%s tokens, %s", tokens, expected.profile())
                        .isCloseTo(micros, within(1e-6 * micros));
                assertThat(most).as("%s", expected.profile()).isGreaterThanOrEqualTo(tokens * 0.999);
            }
            assertThat(expected.mostTokens(0)).isZero();
        }
    }
}
