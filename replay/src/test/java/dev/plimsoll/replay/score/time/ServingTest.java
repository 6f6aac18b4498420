package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ServingTest {
    /** 10 µs up to 2 tokens, 5 for each further one, and 1 for each that is received. */
    private static final DeviceProfile PROFILE = new DeviceProfile("p", List.of(new Point(2, 10), new Point(4, 20)), 1);

    private static final Topology TWO_RANKS = Topology.even(2, 1, 2);

    private static Serving serving(TokenTrace trace, Topology topology) {
        return new Serving(trace.model().layers(), trace.model().experts(), topology, new SlotTimes(PROFILE, 1000));
    }

    private static StepTokens step(TokenTrace trace, int ranks, int... tokens) {
        StepTokens step = new StepTokens(trace, ranks);
        step.count(tokens);
        return step;
    }

    @Test
    void aStepTakesWhatTheSlowestRankTakes() {
        TokenTrace trace = MadeUpTraces.numbered(4);
        Serving serving = serving(trace, TWO_RANKS);
        serving.begin(Placement.of(0, new int[][] {{0, 1, 2, 3}}));

        serving.step(step(trace, 2, 0, 0, 0, 3));
        serving.step(step(trace, 2, 0, 1, 2, 2));
        serving.end();

        // Expert 0: 10 + 5 and 3 received; expert 3: 10 + 1. Then 11 + 11 on the first rank, 12 on the second.
        assertThat(serving.micros()).containsExactly(18.0, 22.0);
        assertThat(serving.activeOnSlowest()).isEqualTo(1.5);
        // 5 and 3 tokens.
        assertThat(serving.balancedness()).isEqualTo(4.0 / 5);
    }

    @Test
    void eachRankTakesTurnsOnItsOwnBeginningWithItsOwnNumberAndGoesOnInTheNextStepAndWindow() {
        TokenTrace trace = MadeUpTraces.numbered(3);
        Serving serving = serving(trace, TWO_RANKS);
        // Expert 0 on both ranks.
        serving.begin(Placement.of(0, new int[][] {{0, 1, 2, 0}}));

        // Rank 0 sends two tokens, one to each; rank 1 one, to its own.
        serving.step(step(trace, 2, 0, 0, 0));
        // Rank 0 from the first again, rank 1 now to the first: it gets both.
        serving.step(step(trace, 2, 0, 0));
        serving.end();
        serving.begin(Placement.of(1, new int[][] {{0, 1, 2, 0}}));
        // Rank 0 to the second, rank 1 too.
        serving.step(step(trace, 2, 0, 0));
        serving.end();

        assertThat(serving.micros()).containsExactly(12.0, 12.0, 12.0);
        // (1 + 2) of 5, then 0 of 2.
        assertThat(serving.balancedness()).isCloseTo((2.5 / 3 + 1.0 / 2) / 2, within(1e-12));
    }

    @Test
    void anIdleSlotGetsNothing() {
        TokenTrace trace = MadeUpTraces.numbered(3);
        Serving serving = serving(trace, TWO_RANKS);
        BitSet last = new BitSet();
        last.set(3);
        serving.begin(Placement.of(0, new int[][] {{0, 1, 2, 0}}, new BitSet[] {last}));

        serving.step(step(trace, 2, 0, 0, 0, 0));
        serving.end();

        assertThat(serving.micros()).containsExactly(24.0);
        assertThat(serving.balancedness()).isEqualTo(0.5);
    }

    /** Every token on its own, as an engine's rank routes it. */
    @Test
    void countsAreThoseOfSendingEveryTokenOnItsOwn() {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            int ranks = 1 + random.nextInt(5);
            int experts = 4 + random.nextInt(5);
            int slotsPerRank = (experts + ranks - 1) / ranks;
            slotsPerRank = Math.min(experts, slotsPerRank + random.nextInt(2));
            Topology topology = Topology.even(ranks, 1, slotsPerRank);
            TokenTrace trace = MadeUpTraces.of(random, 2, experts, 2, 10);
            Serving serving = serving(trace, topology);
            int[][][] turn = new int[ranks][2][experts];
            List<Double> expected = new ArrayList<>();
            ContinuousBatch batch = new ContinuousBatch(trace.requests(), 1 + random.nextInt(40));
            for (int window = 0; window < 3; window++) {
                Placement placement = Placement.of(
                        window, new int[][] {layer(random, topology, experts), layer(random, topology, experts)});
                serving.begin(placement);
                for (int step = 0; step < 4; step++) {
                    int[] tokens = batch.step();
                    serving.step(step(trace, ranks, tokens));
                    double micros = 0;
                    for (int layer = 0; layer < 2; layer++) {
                        int[] ofSlot = new int[topology.slots()];
                        for (int row = 0; row < tokens.length; row++) {
                            int rank = row % ranks;
                            for (int k = 0; k < 2; k++) {
                                int expert = trace.expert(tokens[row], layer, k);
                                int[] slots = placement.slotsOfExperts(layer, experts)[expert];
                                int slot = slots.length == 1
                                        ? slots[0]
                                        : slots[(rank + turn[rank][layer][expert]++) % slots.length];
                                ofSlot[slot]++;
                            }
                        }
                        double slowest = 0;
                        for (int rank = 0; rank < ranks; rank++) {
                            double ofRank = 0;
                            for (int slot = rank * slotsPerRank; slot < (rank + 1) * slotsPerRank; slot++) {
                                ofRank += PROFILE.expertMicros(ofSlot[slot]) + ofSlot[slot];
                            }
                            slowest = Math.max(slowest, ofRank);
                        }
                        micros += slowest;
                    }
                    expected.add(micros);
                }
                serving.end();
            }

            assertThat(serving.micros()).as("seed %d", seed).hasSize(12);
            for (int i = 0; i < 12; i++) {
                assertThat(serving.micros().get(i))
                        .as("seed %d step %d", seed, i)
                        .isCloseTo(expected.get(i), within(1e-9));
            }
        }
    }

    /** Experts in order from somewhere, so that no rank has one twice. */
    private static int[] layer(Random random, Topology topology, int experts) {
        int[] layer = new int[topology.slots()];
        int from = random.nextInt(experts);
        for (int slot = 0; slot < layer.length; slot++) {
            layer[slot] = (from + slot) % experts;
        }
        return layer;
    }
}
