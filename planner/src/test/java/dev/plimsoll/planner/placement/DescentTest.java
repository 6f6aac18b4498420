package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Descents from random placements against scenarios of random windows, at several prices. */
class DescentTest {
    private static final double[] PRICES = {0, 1e-4, 1e-3, 1e-2};
    /** Of a layer where every candidate is computed from scratch. */
    private static final int MOST_SLOTS = 60;

    private static final double LEAST = 1e-12;
    private static final double ROUNDING = 1e-9;

    private record Given(RandomInstance instance, Scenarios scenarios, MoveCosts costs, double price) {
        static Optional<Given> of(long seed) {
            RandomInstance instance = RandomInstance.of(seed);
            LoadForecast forecast = LoadForecast.of(instance.windows(), 0);
            if (!forecast.known()) {
                return Optional.empty();
            }
            int[] start = instance.start().layer(0);
            return Optional.of(new Given(
                    instance,
                    forecast.scenarios(instance.topology().ranks()),
                    new MoveCosts(start, instance.shape().experts(), instance.topology(), instance.prices()),
                    PRICES[(int) (seed % PRICES.length)]));
        }

        LayerState start() {
            return new LayerState(scenarios, instance.start().layer(0));
        }

        /** The start as one of several weighings sees it; where slots may be idle, some redundant ones are. */
        LayerState start(long seed) {
            Weighing weighing = weighing(seed, scenarios);
            int[] start = instance.start().layer(0);
            int[] replicas = new LayerState(scenarios, start).replicas;
            Random random = new Random(seed);
            for (int slot = 0; slot < start.length && weighing.idles(); slot++) {
                if (replicas[start[slot]] > 1 && random.nextInt(3) == 0) {
                    replicas[start[slot]]--;
                    start[slot] = scenarios.experts();
                }
            }
            return new LayerState(scenarios, weighing, start);
        }

        Descent descent(LayerState from, Budget budget) {
            return new Descent(from, costs, price, budget);
        }

        /** What a descent lowers: the potential, and the price of all moves. */
        double total(LayerState state) {
            double cost = 0;
            for (int slot = 0; slot < state.slots(); slot++) {
                cost += costs.of(state.rankOf(slot), state.expertOf[slot]);
            }
            return state.potential() + price * cost;
        }
    }

    private static Weighing weighing(long seed, Scenarios scenarios) {
        return switch ((int) (seed % 3)) {
            case 0 -> new TokenWeighing(scenarios);
            case 1 -> new BentWeighing(scenarios, 0.2, false);
            default -> new BentWeighing(scenarios, 0.4, true);
        };
    }

    @Test
    void neverRaisesThePotentialWithThePriceOfTheMoves() {
        int lowered = 0;
        for (long seed = 0; seed < 4000; seed++) {
            Optional<Given> given = Given.of(seed);
            if (given.isEmpty()) {
                continue;
            }
            LayerState state = given.get().start();
            double before = given.get().total(state);
            Descent descent = given.get().descent(state, given.get().instance().budget());

            descent.descend();

            double descended = given.get().total(state);
            assertThat(descended).as("seed %d", seed).isLessThanOrEqualTo(before + ROUNDING);
            assertThat(descent.arrivals().moves())
                    .as("seed %d", seed)
                    .isLessThanOrEqualTo(given.get().instance().budget().moves());
            lowered += descended < before ? 1 : 0;

            descent.pullBack();

            assertThat(given.get().total(state)).as("seed %d", seed).isLessThanOrEqualTo(descended + ROUNDING);
        }
        assertThat(lowered).isGreaterThan(1000);
    }

    @Test
    void countsAMoveForEveryExpertThatIsNewToItsRank() {
        for (long seed = 0; seed < 1000; seed++) {
            Optional<Given> given = Given.of(seed);
            if (given.isEmpty()) {
                continue;
            }
            LayerState state = given.get().start();
            Descent descent = given.get().descent(state, Budget.UNLIMITED);
            descent.descend();
            descent.pullBack();

            int[] into = new int[state.ranks];
            int moves = 0;
            int most = 0;
            for (int slot = 0; slot < state.slots(); slot++) {
                if (!given.get().costs().settled(state.rankOf(slot), state.expertOf[slot])) {
                    moves++;
                    most = Math.max(most, ++into[state.rankOf(slot)]);
                }
            }
            assertThat(descent.arrivals().moves()).as("seed %d", seed).isEqualTo(moves);
            assertThat(descent.arrivals().mostIntoRank()).as("seed %d", seed).isEqualTo(most);
        }
    }

    @Test
    void findsWhatTryingEveryCandidateFindsByTimeWithSlotsIdleOrNot() {
        int compared = 0;
        int switched = 0;
        for (long seed = 0; seed < 700; seed++) {
            Random random = new Random(seed * 0x9E3779B97F4A7C15L);
            int ranks = 2 + random.nextInt(4);
            int slotsPerRank = 2 + random.nextInt(3);
            int experts = Math.max(slotsPerRank, ranks * slotsPerRank - random.nextInt(ranks * slotsPerRank));
            boolean idle = random.nextInt(3) > 0;
            Scenarios scenarios = RandomLayers.scenarios(random, experts, ranks);
            Weighing weighing = new TimeWeighing(
                    scenarios,
                    RandomTimes.tokensPerStep(random, experts),
                    RandomTimes.expected(random),
                    ranks * slotsPerRank,
                    idle);
            int[] settled = RandomLayers.placement(random, experts, ranks, slotsPerRank);
            int[] from = idle ? RandomTimes.withIdle(random, settled, experts) : settled;
            MoveCosts costs = new MoveCosts(settled, experts, Topology.even(ranks, 1, slotsPerRank), MovePrices.EQUAL);
            double price = PRICES[(int) (seed % PRICES.length)];
            LayerState state = new LayerState(scenarios, weighing, from);
            NaiveDescent naive = new NaiveDescent(state.at(from), costs, price, LEAST);
            LayerState expected = naive.descend(4 * state.slots());
            if (!naive.tied()) {
                new Descent(state, costs, price, Budget.UNLIMITED).descend();

                assertThat(state.expertOf).as("seed %d", seed).isEqualTo(expected.expertOf);
                compared++;
                switched += idle && !Arrays.equals(state.expertOf, from) ? 1 : 0;
            }
        }
        assertThat(compared).isGreaterThan(180);
        assertThat(switched).isGreaterThan(40);
    }

    @Test
    void findsWhatTryingEveryCandidateFinds() {
        int compared = 0;
        int replaced = 0;
        for (long seed = 0; seed < 1500; seed++) {
            Optional<Given> given = Given.of(seed);
            if (given.isEmpty() || given.get().instance().topology().slots() > MOST_SLOTS) {
                continue;
            }
            LayerState state = given.get().start(seed);
            NaiveDescent naive =
                    new NaiveDescent(state, given.get().costs(), given.get().price(), LEAST);
            LayerState expected = naive.descend(4 * state.slots());
            if (!naive.tied()) {
                int[] before = state.replicas.clone();
                given.get().descent(state, Budget.UNLIMITED).descend();

                assertThat(state.expertOf).as("seed %d", seed).isEqualTo(expected.expertOf);
                compared++;
                replaced += Arrays.equals(before, state.replicas) ? 0 : 1;
            }
        }
        assertThat(compared).isGreaterThan(600);
        assertThat(replaced).isGreaterThan(100);
    }

    @Test
    void rulesNothingOutThatWouldBeTheBestOrTheFirstOfEquals() {
        int steps = 0;
        for (long seed = 0; seed < 2000; seed++) {
            Optional<Given> given = Given.of(seed);
            if (given.isEmpty()) {
                continue;
            }
            LayerState state = given.get().start(seed);
            steps += assertAsWithoutBounds(
                    "seed " + seed,
                    state,
                    given.get().costs(),
                    given.get().price(),
                    given.get().instance().budget());
        }
        assertThat(steps).isGreaterThan(700);
    }

    @Test
    void rulesNothingOutInLayersOfManyRanksOrManySlots() {
        int[][] shapes = {{40, 16, 4}, {96, 32, 4}, {64, 2, 40}, {24, 3, 24}, {60, 12, 6}};
        int steps = 0;
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            int[] shape = shapes[seed % shapes.length];
            Topology topology = Topology.even(shape[1], 2 - shape[1] % 2, shape[2]);
            int[] settled = RandomLayers.placement(random, shape[0], shape[1], shape[2]);
            int[] at = RandomLayers.placement(random, shape[0], shape[1], shape[2]);
            Scenarios scenarios = RandomLayers.scenarios(random, shape[0], shape[1]);
            LayerState state = new LayerState(scenarios, weighing(seed / shapes.length, scenarios), at);
            MoveCosts costs = new MoveCosts(settled, shape[0], topology, new MovePrices(1, 2));
            steps += assertAsWithoutBounds("seed " + seed, state, costs, PRICES[seed % 4] / 10, Budget.UNLIMITED);
        }
        assertThat(steps).isGreaterThan(45);
    }

    /** Descends both ways from a state; 1 if that changed it. */
    private static int assertAsWithoutBounds(
            String as, LayerState state, MoveCosts costs, double price, Budget budget) {
        LayerState without = state.at(state.expertOf);
        int[] before = state.expertOf.clone();
        Descent descent = new Descent(state, costs, price, budget);

        descent.descend();
        new UnboundedDescent(without, costs, price, budget).descend(4 * without.slots());

        assertThat(state.expertOf).as(as).isEqualTo(without.expertOf);
        return Arrays.equals(before, state.expertOf) ? 0 : 1;
    }
}
