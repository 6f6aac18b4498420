package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The search of one layer against counting everything anew and trying everything, on seeded small layers. */
class SearchChecksTest {
    private static final int K = Scenarios.COUNT;

    /** A layer, where it is settled, and a placement that the search is at. */
    private record Case(
            Random random, Scenarios scenarios, Topology topology, MovePrices prices, int[] settled, int[] at) {

        static Case of(long seed) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            int nodes = 1 + random.nextInt(2);
            int ranks = nodes * (1 + random.nextInt(3));
            int slotsPerRank = 2 + random.nextInt(3);
            int experts = Math.max(slotsPerRank, ranks * slotsPerRank - random.nextInt(6));
            int[] settled = RandomLayers.placement(random, experts, ranks, slotsPerRank);
            return new Case(
                    random,
                    RandomLayers.scenarios(random, experts, ranks),
                    Topology.even(ranks, nodes, slotsPerRank),
                    random.nextBoolean() ? MovePrices.EQUAL : new MovePrices(0.7, 1.9),
                    settled,
                    random.nextBoolean() ? settled : RandomLayers.placement(random, experts, ranks, slotsPerRank));
        }

        Descent descent(double price, Budget budget) {
            MoveCosts costs = new MoveCosts(settled, scenarios.experts(), topology, prices);
            return new Descent(new LayerState(scenarios, at), costs, price, budget);
        }

        NaiveSearch naive(double price, Budget budget) {
            return new NaiveSearch(scenarios, topology, prices, settled, price, 1e-12, budget);
        }

        void assertCounted(long seed, LayerState state) {
            int[] placed = state.expertOf;
            for (int expert = 0; expert < state.experts; expert++) {
                int wanted = expert;
                int replicas = (int)
                        Arrays.stream(placed).filter(held -> held == wanted).count();
                equal(seed, state.replicas[expert], replicas);
                int listed = 0;
                for (int slot = state.firstSlot(expert); slot >= 0; slot = state.nextSlot(slot)) {
                    equal(seed, placed[slot], expert);
                    listed++;
                }
                equal(seed, listed, replicas);
                for (int rank = 0; rank < state.ranks; rank++) {
                    boolean holds = false;
                    for (int local = 0; local < state.slotsPerRank; local++) {
                        holds |= placed[rank * state.slotsPerRank + local] == expert;
                    }
                    equal(seed, state.holds(rank, expert) ? 1 : 0, holds ? 1 : 0);
                }
                for (int k = 0; k < K; k++) {
                    equal(seed, state.unit[expert * K + k], scenarios.load()[expert * K + k] / replicas);
                }
            }
            double balancedness = 0;
            for (int k = 0; k < K; k++) {
                double[] load = NaiveSearch.rankLoads(placed, NaiveSearch.scenario(scenarios, k), state.ranks);
                for (int rank = 0; rank < state.ranks; rank++) {
                    equal(seed, state.loadOf[rank * K + k], load[rank]);
                }
                balancedness += 1 / Arrays.stream(load).max().orElseThrow() / K;
            }
            equal(seed, state.balancedness(), balancedness);
            double[] potentials = naive(0, Budget.UNLIMITED).potentials(placed);
            for (int rank = 0; rank < state.ranks; rank++) {
                equal(seed, state.potential[rank], potentials[rank]);
            }
            equal(seed, state.potential(), Arrays.stream(potentials).sum());
        }
    }

    private static void equal(long seed, double actual, double expected) {
        if (!(Math.abs(actual - expected) <= 1e-9)) {
            throw new AssertionError("seed " + seed + ": " + actual + " must be " + expected);
        }
    }

    @Test
    void whatAStateKnowsIsWhatCountingAnewGives() {
        int replaced = 0;
        for (long seed = 0; seed < 60; seed++) {
            Case given = Case.of(seed);
            LayerState state = new LayerState(given.scenarios(), given.at());
            given.assertCounted(seed, state);
            for (int change = 0; change < 30; change++) {
                int slot = given.random().nextInt(state.slots());
                int other = given.random().nextInt(state.slots());
                int expert = state.expertOf[slot];
                int incoming = state.expertOf[other];
                if (state.holds(state.rankOf(slot), incoming)) {
                    continue;
                }
                if (state.replicas[expert] > 1) {
                    state.replace(slot, incoming);
                    replaced++;
                } else if (!state.holds(state.rankOf(other), expert)) {
                    state.swap(slot, other);
                }
                given.assertCounted(seed, state);
            }
        }
        assertThat(replaced).isGreaterThan(60);
    }

    @Test
    void levelIsTheMeanOrWhatTheHeaviestReplicaWeighsAtLeast() {
        int above = 0;
        for (long seed = 0; seed < 200; seed++) {
            Case given = Case.of(seed);
            LayerState state = new LayerState(given.scenarios(), given.at());
            for (int k = 0; k < K; k++) {
                double heaviest = NaiveSearch.heaviestReplica(
                        NaiveSearch.scenario(given.scenarios(), k), state.slots(), state.ranks);
                equal(seed, state.level[k], Math.max(1, heaviest));
                above += heaviest > 1 ? 1 : 0;
            }
        }
        assertThat(above).isGreaterThan(100);
    }

    @Test
    void noPlacementOfASmallLayerBettersItsBound() {
        Random random = new Random(5);
        double closest = 0;
        for (int i = 0; i < 40; i++) {
            double[] load = RandomLayers.shares(random, 4);
            double best = 0;
            for (int code = 0; code < 4096; code++) {
                int[] placed = new int[6];
                for (int slot = 0; slot < 6; slot++) {
                    placed[slot] = code >> 2 * slot & 3;
                }
                if (RandomLayers.isValid(placed, 4, 2)) {
                    double most = Arrays.stream(NaiveSearch.rankLoads(placed, load, 3))
                            .max()
                            .orElseThrow();
                    best = Math.max(best, 1 / most / 3);
                }
            }
            double bound = Bounds.balancedness(load, 6, 3);
            assertThat(best).isLessThanOrEqualTo(bound + 1e-9);
            assertThat(bound).isCloseTo(Math.min(1, 1 / NaiveSearch.heaviestReplica(load, 6, 3) / 3), within(1e-9));
            closest = Math.max(closest, best / bound);
        }
        assertThat(closest).as("the bound is reached by some").isGreaterThan(0.999);
    }

    @Test
    void descentEndsWithinItsBudgetWhereNoStepPays() {
        int moved = 0;
        int cutShort = 0;
        for (long seed = 0; seed < 100; seed++) {
            Case given = Case.of(seed);
            double price = given.random().nextInt(3) * 0.004;
            Budget budget = given.random().nextBoolean()
                    ? Budget.UNLIMITED
                    : new Budget(
                            1 + given.random().nextInt(6),
                            Long.MAX_VALUE,
                            1,
                            1 + given.random().nextInt(2));
            Descent descent = given.descent(price, budget);
            NaiveSearch naive = given.naive(price, budget);

            descent.descend();

            int[] now = descent.state().expertOf;
            given.assertCounted(seed, descent.state());
            assertThat(naive.bestStep(now))
                    .as("seed %d: a step that pays", seed)
                    .isEmpty();
            assertFallsAddUp(seed, descent, naive.potential(given.at()) - naive.potential(now));
            int[] before = naive.arrivals(given.at());
            int[] after = naive.arrivals(now);
            int moves = Arrays.stream(after).sum();
            assertThat(descent.arrivals().moves()).as("seed %d", seed).isEqualTo(moves);
            assertThat(descent.arrivals().mostIntoRank())
                    .as("seed %d", seed)
                    .isEqualTo(Arrays.stream(after).max().orElseThrow());
            assertThat(moves)
                    .as("seed %d", seed)
                    .isLessThanOrEqualTo(
                            Math.max(budget.moves(), Arrays.stream(before).sum()));
            for (int rank = 0; rank < after.length; rank++) {
                assertThat(after[rank])
                        .as("seed %d", seed)
                        .isLessThanOrEqualTo(Math.max(budget.intoRank(), before[rank]));
            }
            moved += Arrays.equals(now, given.at()) ? 0 : 1;
            cutShort += descent.overBudget() ? 1 : 0;
        }
        assertThat(moved).isGreaterThan(50);
        assertThat(cutShort).isGreaterThan(10);
    }

    @Test
    void oneMoveIsTakenWhereTwoWouldBringLessThanTwiceAsMuch() {
        // Rank 0 carries 1.8. A replica of expert 0 in place of one of 4 brings 0.55; exchanging 1 for 4 brings 0.64.
        double[] share = {1.0 / 3, 0.8 / 3, 0.2 / 3, 0.98 / 3, 0.02 / 3};
        int[] settled = {0, 1, 2, 4, 3, 4};
        MoveCosts costs = new MoveCosts(settled, 5, Topology.even(3, 1, 2), MovePrices.EQUAL);
        LayerState state = new LayerState(Scenarios.of(share, new double[0][], 3, 0), settled);
        assertThat(state.potential()).isCloseTo(0.64, within(1e-9));

        new Descent(state, costs, 0.085, Budget.UNLIMITED).descend();

        // What is left is 0.09, and no move takes more than 0.08 of it.
        assertThat(state.expertOf).containsExactly(0, 1, 2, 0, 3, 4);
        assertThat(state.potential()).isCloseTo(0.09, within(1e-9));
    }

    @Test
    void stepsFindAsMuchAsAlwaysTakingTheBestOneDoes() {
        double falls = 0;
        double naiveFalls = 0;
        for (long seed = 100; seed < 130; seed++) {
            Case given = Case.of(seed);
            Descent descent = given.descent(0.004, Budget.UNLIMITED);
            NaiveSearch naive = given.naive(0.004, Budget.UNLIMITED);

            descent.descend();

            falls += naive.gain(given.at(), descent.state().expertOf);
            naiveFalls += naive.gain(given.at(), naive.descend(given.at()));
        }
        assertThat(falls).isGreaterThan(0.98 * naiveFalls);
    }

    private static void assertFallsAddUp(long seed, Descent descent, double fall) {
        double sum = 0;
        for (int rank = 0; rank < descent.state().ranks; rank++) {
            for (int expert = 0; expert < descent.state().experts; expert++) {
                sum += descent.arrivals().fallOf(rank, expert);
            }
        }
        equal(seed, sum, fall);
    }

    @Test
    void pullingBackReturnsWhatDoesNotPayItsPrice() {
        int returned = 0;
        for (long seed = 0; seed < 80; seed++) {
            Case given = Case.of(seed);
            double price = given.random().nextInt(3) * 0.01;
            Descent descent = given.descent(price, Budget.UNLIMITED);
            NaiveSearch naive = given.naive(price, Budget.UNLIMITED);

            descent.pullBack();

            int[] now = descent.state().expertOf;
            assertThat(RandomLayers.isValid(
                            now, given.scenarios().experts(), given.topology().slotsPerRank()))
                    .as("seed %d", seed)
                    .isTrue();
            assertThat(naive.gain(given.at(), now)).as("seed %d", seed).isGreaterThan(-1e-9);
            assertNothingToReturn(seed, given, naive, now);
            returned += naive.cost(given.at()) - naive.cost(now) > 0.5 ? 1 : 0;
        }
        assertThat(returned).isGreaterThan(20);
    }

    /** No slot of a newcomer is better given back to an expert that its rank had. */
    private static void assertNothingToReturn(long seed, Case given, NaiveSearch naive, int[] now) {
        int slotsPerRank = given.topology().slotsPerRank();
        int[] settled = given.settled();
        for (int rank = 0; rank < given.topology().ranks(); rank++) {
            int[] had = Arrays.copyOfRange(settled, rank * slotsPerRank, (rank + 1) * slotsPerRank);
            for (int[] step :
                    NaiveSteps.from(now, rank, slotsPerRank, given.scenarios().experts())) {
                for (int slot = rank * slotsPerRank; slot < (rank + 1) * slotsPerRank; slot++) {
                    int before = now[slot];
                    int after = step[slot];
                    if (before != after
                            && Arrays.stream(had).noneMatch(held -> held == before)
                            && Arrays.stream(had).anyMatch(held -> held == after)
                            && naive.score(now, step) > 1e-9) {
                        throw new AssertionError("seed " + seed + ": slot " + slot + " should be given back");
                    }
                }
            }
        }
    }

    @Test
    void moveCostsWhatItsNearestHolderMakesItCost() {
        // Expert 0 is on ranks 0 and 1, expert 4 on rank 2 of the other node.
        Topology topology = Topology.even(4, 2, 2);
        int[] settled = {0, 1, 0, 2, 3, 4, 5, 1};
        MoveCosts costs = new MoveCosts(settled, 6, topology, new MovePrices(1, 4));

        assertThat(costs.of(0, 0)).isZero();
        assertThat(costs.of(1, 1)).isEqualTo(1);
        assertThat(costs.of(3, 4)).isEqualTo(1);
        assertThat(costs.of(0, 4)).isEqualTo(4);
        assertThat(costs.of(2, 0)).isEqualTo(4);
        assertThat(costs.settled(1, 0)).isTrue();
        assertThat(costs.settled(2, 0)).isFalse();
        assertThat(costs.settledExpert(5)).isEqualTo(4);
    }

    @Test
    void placementFromScratchSeparatesWhoRisesTogetherAndStaysWhereItCan() {
        // Experts 0 and 2 rise together, so do 1 and 3; all are expected to be equal, and are in the first scenario.
        double[] share = {0.25, 0.25, 0.25, 0.25};
        double[][] together = {{0.05, -0.05, 0.05, -0.05}, {-0.05, 0.05, -0.05, 0.05}};
        Scenarios scenarios = Scenarios.of(share, together, 2, 0);
        int[] settled = {0, 1, 2, 3};
        MoveCosts costs = new MoveCosts(settled, 4, Topology.even(2, 1, 2), MovePrices.EQUAL);

        int[] packed = ScenarioPacking.pack(scenarios, costs, 4, 0);
        int[] dear = ScenarioPacking.pack(scenarios, costs, 4, 10);

        assertThat(new LayerState(scenarios, packed).potential()).isCloseTo(0, within(1e-12));
        assertThat(dear).isEqualTo(settled);
    }

    @Test
    void placementsFromScratchAreValid() {
        for (long seed = 0; seed < 200; seed++) {
            Case given = Case.of(seed);
            Scenarios scenarios = given.scenarios();
            MoveCosts costs = new MoveCosts(given.settled(), scenarios.experts(), given.topology(), MovePrices.EQUAL);

            int[] packed = ScenarioPacking.pack(scenarios, costs, given.settled().length, 0);

            assertThat(RandomLayers.isValid(
                            packed, scenarios.experts(), given.topology().slotsPerRank()))
                    .as("seed %d", seed)
                    .isTrue();
        }
    }

    @Test
    void equalValuesAreInTheOrderOfTheirIds() {
        for (int experts = 1; experts < 40; experts++) {
            int[] order = Replication.byFalling(new double[experts]);
            for (int i = 0; i < experts; i++) {
                assertThat(order[i]).isEqualTo(i);
            }
        }
        assertThat(Replication.byFalling(new double[] {1, 3, 2, 3, 1})).containsExactly(1, 3, 2, 0, 4);
        assertThat(Replication.byLoad(new double[] {6, 6, 6, 1}, 6, 3)).containsExactly(2, 2, 1, 1);
        assertThat(Replication.byLoad(new double[] {90, 2, 1}, 5, 2)).containsExactly(2, 2, 1);
    }
}
