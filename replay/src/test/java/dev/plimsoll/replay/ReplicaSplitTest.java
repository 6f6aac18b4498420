package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReplicaSplitTest {
    private static final int LAYERS = 3;
    private static final int EXPERTS = 10;
    private static final int PARTS = 4;
    private static final Topology TOPOLOGY = Topology.even(4, 2, 4);
    private static final Membership MEMBERS = MadeUpPast.members(LAYERS, EXPERTS, TOPOLOGY, 4);

    @Test
    void whatIsLeftOverGoesToTheFirstReplicas() {
        ReplicaSplit split = new ReplicaSplit(Placement.of(0, new int[][] {{0, 1, 0, 2, 0}}), 3);

        assertThat(List.of(split.tokens(0, 0, 11), split.tokens(0, 2, 11), split.tokens(0, 4, 11)))
                .containsExactly(4L, 4L, 3L);
        assertThat(List.of(split.tokens(0, 0, 1), split.tokens(0, 2, 1), split.tokens(0, 4, 1)))
                .containsExactly(1L, 0L, 0L);
        assertThat(split.tokens(0, 1, 7)).isEqualTo(7);
    }

    @Test
    void anIdleReplicaGetsNothing() {
        BitSet[] idle = {BitSet.valueOf(new long[] {0b00001})};
        ReplicaSplit split = new ReplicaSplit(Placement.of(0, new int[][] {{0, 1, 0, 2, 0}}, idle), 3);

        assertThat(List.of(split.tokens(0, 0, 11), split.tokens(0, 2, 11), split.tokens(0, 4, 11)))
                .containsExactly(0L, 6L, 5L);
    }

    @Test
    void everyTokenOfAnExpertIsOnOneOfItsSlotsInEveryPart() {
        for (long seed = 1; seed <= 100; seed++) {
            Random random = new Random(seed);
            HistoryWindow window = random(random);
            ExpertLoad load = window.load().orElseThrow();
            Placement first = random(random, 0);
            Placement second = random(random, 1);
            int border = 1 + random.nextInt(PARTS - 1);

            Counterfactual found = Counterfactual.of(
                    MEMBERS,
                    window.facts(),
                    -1,
                    load,
                    List.of(
                            new Stretch(PlacementState.settled(0), first, 0, border),
                            new Stretch(PlacementState.settled(1), second, border, PARTS)),
                    1);

            long[][][] sums = new long[LAYERS][PARTS][EXPERTS];
            for (LoadWindow row : found.rows()) {
                Placement served = row.segment() == 0 ? first : second;
                for (int part = 0; part < PARTS; part++) {
                    for (int slot = 0; slot < TOPOLOGY.slots(); slot++) {
                        assertThat(served.idle(row.layer(), slot) ? row.load().at(slot) : 0)
                                .isZero();
                        sums[row.layer()][part][served.layer(row.layer())[slot]] +=
                                row.subLoad().at(part * TOPOLOGY.slots() + slot);
                    }
                }
            }
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int part = 0; part < PARTS; part++) {
                    for (int expert = 0; expert < EXPERTS; expert++) {
                        assertThat(sums[layer][part][expert])
                                .as("seed %d layer %d part %d expert %d", seed, layer, part, expert)
                                .isEqualTo(load.at(layer, part, expert));
                    }
                }
            }
            assertThat(found.rows().stream().mapToLong(row -> row.load().sum()).sum())
                    .as("seed %d", seed)
                    .isEqualTo(window.facts().load());
        }
    }

    private static HistoryWindow random(Random random) {
        long[][][] samples = new long[LAYERS][PARTS][EXPERTS];
        for (long[][] layer : samples) {
            for (long[] part : layer) {
                for (int expert = 0; expert < EXPERTS; expert++) {
                    part[expert] = random.nextInt(4) == 0 ? 0 : random.nextInt(50);
                }
            }
        }
        return MadeUpPast.window(0, samples);
    }

    /** Every expert somewhere; the other slots at random. */
    private static Placement random(Random random, int version) {
        int[][] experts = new int[LAYERS][TOPOLOGY.slots()];
        for (int[] layer : experts) {
            for (int slot = 0; slot < layer.length; slot++) {
                layer[slot] = slot < EXPERTS ? slot : random.nextInt(EXPERTS);
            }
        }
        return Placement.of(version, experts, idle(random));
    }

    /** Of the slots behind those that hold one expert each. */
    private static BitSet[] idle(Random random) {
        BitSet[] idle = new BitSet[LAYERS];
        for (int layer = 0; layer < LAYERS; layer++) {
            idle[layer] = new BitSet();
            for (int slot = EXPERTS; slot < TOPOLOGY.slots(); slot++) {
                idle[layer].set(slot, random.nextInt(3) == 0);
            }
        }
        return idle;
    }
}
