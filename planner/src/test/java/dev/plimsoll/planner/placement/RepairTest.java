package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RepairTest {
    private static final ModelShape SHAPE = ModelShape.of("tiny", 4, 1, 0, 1);
    private static final Topology TOPOLOGY = Topology.even(2, 1, 3);
    private static final ExpertLoad LOAD = ExpertLoad.of(0, new long[][] {{10, 40, 20, 30}});

    @Test
    void secondOfTwoOnARankGivesWayToTheHottestExpertThatTheRankHasNot() {
        assertThat(repaired(0, 0, 2, 1, 2, 3)).containsExactly(0, 1, 2, 1, 2, 3);
        assertThat(repaired(0, 0, 1, 1, 2, 3)).containsExactly(0, 3, 1, 1, 2, 3);
    }

    @Test
    void hottestIsWhoHasMostTokensPerReplica() {
        Topology narrow = Topology.even(4, 1, 2);
        Placement settled = Placement.of(0, new int[][] {{1, 0, 1, 2, 1, 3, 0, 0}});
        // 40 tokens of expert 1 over three replicas, 30 of expert 3 on one
        assertThat(Repair.of(settled, SHAPE, narrow, LOAD).layer(0)).containsExactly(1, 0, 1, 2, 1, 3, 0, 3);
    }

    @Test
    void soundPlacementsStay() {
        Placement sound = Placement.of(3, new int[][] {{0, 1, 2, 3, 0, 1}});
        assertThat(Repair.of(sound, SHAPE, TOPOLOGY, LOAD)).isEqualTo(sound);
        assertThat(Repair.most(sound, SHAPE, TOPOLOGY)).isZero();
    }

    @Test
    void ofTwoOnARankTheIdleOneGivesWay() {
        Placement settled = placement(new int[] {0, 0, 2, 1, 2, 3}, 0);
        assertThat(Repair.of(settled, SHAPE, TOPOLOGY, LOAD).layer(0)).containsExactly(1, 0, 2, 1, 2, 3);
    }

    @Test
    void expertThatOnlyAnIdleSlotHoldsComesIntoUse() {
        Placement settled = placement(new int[] {0, 1, 2, 3, 0, 1}, 3);
        Placement repaired = Repair.of(settled, SHAPE, TOPOLOGY, LOAD);
        assertThat(repaired.layer(0)).containsExactly(0, 1, 2, 3, 0, 1);
        assertThat(repaired.idleSlots()).isZero();
    }

    private static Placement placement(int[] experts, int idleSlot) {
        BitSet idle = new BitSet();
        idle.set(idleSlot);
        return Placement.of(0, new int[][] {experts}, new BitSet[] {idle});
    }

    private static int[] repaired(int... experts) {
        return Repair.of(Placement.of(0, new int[][] {experts}), SHAPE, TOPOLOGY, LOAD)
                .layer(0);
    }

    @Test
    void anyPlacementThatHoldsEveryExpertBecomesSoundAndKeepsWhatIsSound() {
        int broken = 0;
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            int ranks = 2 + random.nextInt(5);
            int experts = 2 + random.nextInt(10);
            int slots = Math.min(experts, (experts + ranks - 1) / ranks + random.nextInt(3));
            ModelShape shape = ModelShape.of("random", experts, 1, 0, 2);
            Topology topology = Topology.even(ranks, 1, slots);
            int[][] held = new int[2][ranks * slots];
            BitSet[] idle = {new BitSet(), new BitSet()};
            for (int layer = 0; layer < 2; layer++) {
                Arrays.setAll(held[layer], slot -> slot < experts ? slot : random.nextInt(experts + 2));
                shuffle(held[layer], random);
                random.ints(random.nextInt(4), 0, ranks * slots).forEach(idle[layer]::set);
            }
            Placement settled = Placement.of(5, held, idle);
            long[][] load = new long[2][];
            Arrays.setAll(load, layer -> random.longs(experts, 0, 1000).toArray());

            Placement sound = Repair.of(settled, shape, topology, ExpertLoad.of(0, load));

            String as = "seed " + seed;
            assertThat(PlacementRules.violations(sound, shape, topology)).as(as).isEmpty();
            assertThat(sound.version()).as(as).isEqualTo(5);
            int most = 0;
            for (int layer = 0; layer < 2; layer++) {
                int[] before = settled.layer(layer);
                int[] after = sound.layer(layer);
                for (int rank = 0; rank < ranks; rank++) {
                    int from = rank * slots;
                    int known = (int) IntStream.range(from, from + slots)
                            .map(slot -> before[slot])
                            .filter(expert -> expert < experts)
                            .distinct()
                            .count();
                    int kept = (int) IntStream.range(from, from + slots)
                            .filter(slot -> before[slot] == after[slot])
                            .count();
                    assertThat(kept)
                            .as(as + ": no more moves than there are faults")
                            .isEqualTo(known);
                    most = Math.max(most, slots - known);
                }
            }
            assertThat(Repair.most(settled, shape, topology)).as(as).isEqualTo(most);
            broken += PlacementRules.violations(settled, shape, topology).isEmpty() ? 0 : 1;
        }
        assertThat(broken).isGreaterThan(1500);
    }

    private static void shuffle(int[] values, Random random) {
        for (int i = values.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int value = values[i];
            values[i] = values[other];
            values[other] = value;
        }
    }
}
