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
            MoveCosts costs =
                    new MoveCosts(settled, experts, Topology.even(ranks, 1, slotsPerRank), MovePrices.EQUAL);
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
        for (long seed = 0; seed < 2000; seed++) {
            Optional<Given> given = Given.of(seed);
            if (given.isEmpty()) {
                continue;
            }
            LayerState state = given.get().start();
            NaiveDescent naive = new NaiveDescent(
                    given.get().scenarios(),
                    state.expertOf,
                    given.get().costs(),
                    given.get().price(),
                    LEAST);
            LayerState expected = naive.descend(4 * state.slots());
            if (!naive.tied()) {
                given.get().descent(state, Budget.UNLIMITED).descend();

                assertThat(state.expertOf).as("seed %d", seed).isEqualTo(expected.expertOf);
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(1000);
    }
}
