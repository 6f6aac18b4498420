package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Bounds against all placements there are, and for steps against all ways to split tokens over replicas. */
class SlowestRankTest {
    private static final DeviceProfile READ = new DeviceProfile("read", List.of(new Point(1, 10)), 0);

    private record Instance(Topology topology, int experts) {
        static Instance of(Random random) {
            while (true) {
                int ranks = 2 + random.nextInt(2);
                int experts = 2 + random.nextInt(3);
                int slots = 1 + random.nextInt(3);
                if (ranks * slots >= experts && slots <= experts && ranks * slots <= 6) {
                    return new Instance(Topology.even(ranks, 1, slots), experts);
                }
            }
        }

        /** Every valid way to fill the slots. */
        void placements(Consumer<int[]> each) {
            fill(new int[topology.slots()], 0, each);
        }

        private void fill(int[] placed, int slot, Consumer<int[]> each) {
            if (slot == placed.length) {
                boolean[] held = new boolean[experts];
                for (int expert : placed) {
                    held[expert] = true;
                }
                for (boolean has : held) {
                    if (!has) {
                        return;
                    }
                }
                each.accept(placed);
                return;
            }
            for (int expert = 0; expert < experts; expert++) {
                boolean twice = false;
                for (int other = slot / topology.slotsPerRank() * topology.slotsPerRank(); other < slot; other++) {
                    twice |= placed[other] == expert;
                }
                if (!twice) {
                    placed[slot] = expert;
                    fill(placed, slot + 1, each);
                }
            }
        }
    }

    /** Times that never fall, with any bends. */
    private static DeviceProfile profile(Random random) {
        List<Point> points = new ArrayList<>();
        double micros = 1 + random.nextInt(10);
        for (int tokens = 1; tokens <= 6; tokens++) {
            if (tokens == 1 || random.nextBoolean()) {
                points.add(new Point(tokens, micros));
            }
            micros += random.nextInt(3) == 0 ? random.nextInt(20) : 0;
        }
        return new DeviceProfile("p", points, random.nextInt(2));
    }

    @Test
    void noPlacementAndNoSplitOfTokensOfAStepIsBelowTheBound() {
        int reached = 0;
        for (int seed = 0; seed < 150; seed++) {
            Random random = new Random(seed);
            Instance instance = Instance.of(random);
            SlotTimes times = new SlotTimes(profile(random), 12);
            int[] tokens = new int[instance.experts()];
            for (int expert = 0; expert < tokens.length; expert++) {
                tokens[expert] = random.nextInt(5);
            }
            double[] best = {Double.POSITIVE_INFINITY};
            instance.placements(placed -> best[0] = Math.min(
                    best[0], bestSplit(placed, tokens.clone(), new int[placed.length], 0, times, instance.topology())));

            double bound = new StepBound(instance.topology(), instance.experts(), times).ofLayer(tokens);

            assertThat(bound).as("seed %d", seed).isLessThanOrEqualTo(best[0] + 1e-9);
            reached += bound > best[0] - 1e-9 ? 1 : 0;
        }
        // It is a good bound, too.
        assertThat(reached).isGreaterThan(70);
    }

    /** Least time of the slowest rank over all ways to give each slot from {@code slot} on some of its expert's tokens. */
    private static double bestSplit(
            int[] placed, int[] left, int[] given, int slot, SlotTimes times, Topology topology) {
        if (slot == placed.length) {
            for (int rest : left) {
                if (rest > 0) {
                    return Double.POSITIVE_INFINITY;
                }
            }
            double slowest = 0;
            for (int rank = 0; rank < topology.ranks(); rank++) {
                double micros = 0;
                for (int of = rank * topology.slotsPerRank(); of < (rank + 1) * topology.slotsPerRank(); of++) {
                    micros += times.micros(given[of]);
                }
                slowest = Math.max(slowest, micros);
            }
            return slowest;
        }
        double best = Double.POSITIVE_INFINITY;
        int all = left[placed[slot]];
        for (int some = 0; some <= all; some++) {
            given[slot] = some;
            left[placed[slot]] = all - some;
            best = Math.min(best, bestSplit(placed, left, given, slot + 1, times, topology));
        }
        left[placed[slot]] = all;
        return best;
    }

    @Test
    void noPlacementIsExpectedToBeBelowTheBound() {
        for (int seed = 0; seed < 150; seed++) {
            Random random = new Random(seed);
            Instance instance = Instance.of(random);
            ExpectedTime expected = new ExpectedTime(profile(random));
            double[] tokens = new double[instance.experts()];
            for (int expert = 0; expert < tokens.length; expert++) {
                tokens[expert] = 6 * random.nextDouble();
            }
            double[] best = {Double.POSITIVE_INFINITY};
            instance.placements(placed -> {
                double slowest = 0;
                for (double micros : ExpertTime.rankMicros(placed, tokens, expected, instance.topology())) {
                    slowest = Math.max(slowest, micros);
                }
                best[0] = Math.min(best[0], slowest);
            });

            double bound = ExpectedServing.bound(new double[][] {tokens}, instance.topology(), expected);

            assertThat(bound).as("seed %d", seed).isLessThanOrEqualTo(best[0] * (1 + 1e-12));
        }
    }

    @Test
    void threeExpertsOnTwoRanksAreTwoOnOneOfThem() {
        StepBound bound = new StepBound(Topology.even(2, 1, 2), 4, new SlotTimes(READ, 100));

        assertThat(bound.ofLayer(new int[] {7, 1, 1, 0})).isEqualTo(20);
        assertThat(bound.ofLayer(new int[] {7, 0, 0, 1})).isEqualTo(10);
        assertThat(bound.ofLayer(new int[4])).isZero();
    }

    @Test
    void anExpertWithoutReplicasKeepsItsTokensTogether() {
        DeviceProfile computed = new DeviceProfile("computed", List.of(new Point(1, 1), new Point(2, 2)), 0);
        SlotTimes times = new SlotTimes(computed, 100);

        assertThat(new StepBound(Topology.even(4, 1, 1), 4, times).ofLayer(new int[] {8, 0, 0, 0}))
                .isEqualTo(8);
        // One redundant slot each: 2 replicas with 4 tokens each on 5 ranks; then as many as there are ranks.
        assertThat(new StepBound(Topology.even(5, 1, 1), 4, times).ofLayer(new int[] {8, 0, 0, 0}))
                .isEqualTo(4);
        assertThat(new StepBound(Topology.even(4, 1, 2), 4, times).ofLayer(new int[] {8, 0, 0, 0}))
                .isEqualTo(2);
    }

    @Test
    void theSlowestRankTakesAtLeastTheMean() {
        DeviceProfile computed = new DeviceProfile("computed", List.of(new Point(1, 1), new Point(2, 2)), 0);

        assertThat(new StepBound(Topology.even(2, 1, 3), 4, new SlotTimes(computed, 100))
                        .ofLayer(new int[] {8, 8, 8, 8}))
                .isEqualTo(16);
    }

    @Test
    void tokensAreSplitWhereThatTakesLess() {
        // Two tokens one by one take 2, together 10.
        SlotTimes times = new SlotTimes(new DeviceProfile("steep", List.of(new Point(1, 1), new Point(2, 10)), 0), 4);

        assertThat(StepBound.split(times, 1)).containsExactly(new double[] {0, 1, 10, 19, 28}, within(1e-12));
        assertThat(StepBound.split(times, 2)).containsExactly(new double[] {0, 1, 2, 11, 20}, within(1e-12));
        assertThat(StepBound.split(times, 4)).containsExactly(new double[] {0, 1, 2, 3, 4}, within(1e-12));
    }
}
