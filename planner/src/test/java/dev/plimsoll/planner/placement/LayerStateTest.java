package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LayerStateTest {

    @Test
    void afterAnyChangesAllIsAsIfBuiltAnew() {
        int swaps = 0;
        int replacements = 0;
        for (long seed = 0; seed < 500; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            LoadForecast forecast = LoadForecast.of(given.windows(), 0);
            if (!forecast.known()) {
                continue;
            }
            Scenarios scenarios = forecast.scenarios(given.topology().ranks());
            LayerState state = new LayerState(scenarios, given.start().layer(0));
            Random random = new Random(seed);
            for (int change = 0; change < 30; change++) {
                int slot = random.nextInt(state.slots());
                int other = random.nextInt(state.slots());
                int expert = random.nextInt(state.experts);
                if (state.replicas[state.expertOf[slot]] > 1 && !state.holds(state.rankOf(slot), expert)) {
                    state.replace(slot, expert);
                    replacements++;
                } else if (!state.holds(state.rankOf(slot), state.expertOf[other])
                        && !state.holds(state.rankOf(other), state.expertOf[slot])) {
                    state.swap(slot, other);
                    swaps++;
                }
                assertSame(seed, state, new LayerState(scenarios, state.expertOf));
            }
        }
        assertThat(swaps).isGreaterThan(500);
        assertThat(replacements).isGreaterThan(500);
    }

    @Test
    void afterAnyChangesByTimeAllIsAsIfBuiltAnewWithIdleSlotsToo() {
        int switchedOff = 0;
        int switchedOn = 0;
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed * 0x9E3779B97F4A7C15L);
            int experts = 3 + random.nextInt(8);
            int ranks = 2 + random.nextInt(4);
            int slotsPerRank = Math.min(experts, (experts + ranks - 1) / ranks + random.nextInt(3));
            Scenarios scenarios = RandomLayers.scenarios(random, experts, ranks);
            Weighing weighing = new TimeWeighing(
                    scenarios,
                    RandomTimes.tokensPerStep(random, experts),
                    RandomTimes.expected(random),
                    ranks * slotsPerRank,
                    true);
            int[] placed = RandomLayers.placement(random, experts, ranks, slotsPerRank);
            LayerState state = new LayerState(scenarios, weighing, RandomTimes.withIdle(random, placed, experts));
            for (int change = 0; change < 30; change++) {
                int slot = random.nextInt(state.slots());
                int other = random.nextInt(state.slots());
                int expert = random.nextInt(state.experts);
                int outgoing = state.expertOf[slot];
                if (outgoing != expert && state.replicas[outgoing] > 1 && !state.holds(state.rankOf(slot), expert)) {
                    state.replace(slot, expert);
                    switchedOff += expert == state.nothing ? 1 : 0;
                    switchedOn += outgoing == state.nothing ? 1 : 0;
                } else if (!state.holds(state.rankOf(slot), state.expertOf[other])
                        && !state.holds(state.rankOf(other), outgoing)
                        && state.rankOf(slot) != state.rankOf(other)) {
                    state.swap(slot, other);
                }
                assertSame(seed, state, new LayerState(scenarios, weighing, state.expertOf));
                assertThat(state.replicas).as("seed %d", seed).doesNotContain(0);
            }
        }
        assertThat(switchedOff).isGreaterThan(200);
        assertThat(switchedOn).isGreaterThan(200);
    }

    private static void assertSame(long seed, LayerState state, LayerState anew) {
        assertThat(state.replicas).as("seed %d", seed).isEqualTo(anew.replicas);
        assertThat(state.holds).as("seed %d", seed).isEqualTo(anew.holds);
        assertThat(state.unit).as("seed %d", seed).isEqualTo(anew.unit);
        assertThat(state.loadOf).as("seed %d", seed).isEqualTo(anew.loadOf);
        assertThat(state.level).as("seed %d", seed).isEqualTo(anew.level);
        assertThat(state.potential).as("seed %d", seed).isEqualTo(anew.potential);
        for (int expert = 0; expert < state.experts; expert++) {
            assertThat(slots(state, expert))
                    .as("seed %d expert %d", seed, expert)
                    .isEqualTo(slots(anew, expert));
        }
    }

    private static List<Integer> slots(LayerState state, int expert) {
        List<Integer> slots = new ArrayList<>();
        for (int slot = state.firstSlot(expert); slot >= 0; slot = state.nextSlot(slot)) {
            slots.add(slot);
        }
        return slots.stream().sorted().toList();
    }

    @Test
    void loadsAndBalancednessAreThoseOfAnEvenSplitInEveryScenario() {
        for (long seed = 0; seed < 500; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            LoadForecast forecast = LoadForecast.of(given.windows(), 0);
            if (!forecast.known()) {
                continue;
            }
            int ranks = given.topology().ranks();
            Scenarios scenarios = forecast.scenarios(ranks);
            int[] placed = given.start().layer(0);
            LayerState state = new LayerState(scenarios, placed);

            double balancedness = 0;
            double potential = 0;
            for (int k = 0; k < LayerState.K; k++) {
                int scenario = k;
                double[] load = IntStream.range(0, state.experts)
                        .mapToDouble(expert -> scenarios.load()[expert * LayerState.K + scenario])
                        .toArray();
                double[] ofRank = EvenSplit.rankLoads(placed, load, given.topology());
                double[] ofState = IntStream.range(0, ranks)
                        .mapToDouble(rank -> state.loadOf[rank * LayerState.K + scenario])
                        .toArray();
                double level = Math.max(1, Bounds.heaviestReplica(load, 1, 0, placed.length, ranks));
                assertThat(ofState).as("seed %d", seed).containsExactly(ofRank, within(1e-9));
                balancedness += 1 / EvenSplit.max(ofRank) / LayerState.K;
                potential += Arrays.stream(ofRank)
                                .map(value -> Math.max(0, value - level))
                                .map(above -> above * above)
                                .sum()
                        / LayerState.K;
            }
            assertThat(state.balancedness()).as("seed %d", seed).isEqualTo(balancedness, within(1e-9));
            assertThat(state.potential()).as("seed %d", seed).isEqualTo(potential, within(1e-9));
        }
    }
}
