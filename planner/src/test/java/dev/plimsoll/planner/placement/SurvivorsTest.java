package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SurvivorsTest {
    private static final int LAYERS = 2;

    @Test
    void whoeverGoesOnKeepsWhatItHoldsAndWhatNobodyHoldsIsNamed() {
        Topology three = Topology.even(3, 3, 2);
        ModelShape shape = ModelShape.of("m", 4, 1, 0, 1);
        Placement settled = Placement.of(7, new int[][] {{0, 1, 2, 0, 3, 1}});

        Survivors left = Survivors.of(settled, shape, three, ranks(2), 0, 2);

        assertThat(left.start()).isEqualTo(Placement.of(0, new int[][] {{3, 1, 2, 0}}));
        assertThat(left.topology().nodeOfRank()).containsExactly(0, 1);
        assertThat(left.lost()).extracting(Survivors.Load::expert).containsExactly(3);
        assertThat(left.loads()).isEqualTo(left.lost());
    }

    @Test
    void aRankThatJoinsIsFilledAndOthersAreLeftAlone() {
        Topology two = Topology.even(2, 1, 2);
        ModelShape shape = ModelShape.of("m", 4, 1, 0, 1);
        Placement settled = Placement.of(7, new int[][] {{0, 1, 2, 3}});

        Survivors more = Survivors.of(settled, shape, two, new BitSet(), 1, 2);

        assertThat(more.start()).isEqualTo(Placement.of(0, new int[][] {{0, 1, 2, 3, 0, 1}}));
        assertThat(more.lost()).isEmpty();
        assertThat(more.loads()).extracting(load -> load.from().orElseThrow()).containsExactly(0, 0);
    }

    @Test
    void everyExpertIsServedWithTheFewestLoads() {
        for (int seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            int experts = 4 + random.nextInt(12);
            int ranks = 2 + random.nextInt(5);
            int slots = Math.min(experts, (experts + ranks - 1) / ranks + random.nextInt(3));
            Topology topology = Topology.even(ranks, 1, slots);
            ModelShape shape = ModelShape.of("m", experts, 1, 0, LAYERS);
            Placement settled = placement(random, topology, experts);
            BitSet gone = new BitSet();
            for (int rank = 1; rank < ranks; rank++) {
                gone.set(rank, random.nextInt(3) == 0);
            }
            int joining = random.nextInt(2);
            int next = ranks - gone.cardinality() + joining;
            int least = (experts + next - 1) / next;
            int slotsAfter = Math.min(experts, Math.max(least, slots) + random.nextInt(2));

            Survivors start = Survivors.of(settled, shape, topology, gone, joining, slotsAfter);

            String where = "seed " + seed;
            assertThat(PlacementRules.violations(start.start(), shape, start.topology()))
                    .as(where)
                    .isEmpty();
            for (int layer = 0; layer < LAYERS; layer++) {
                int of = layer;
                TreeSet<Integer> living = new TreeSet<>();
                int held = 0;
                int[] before = settled.layer(layer);
                for (int slot = 0; slot < before.length; slot++) {
                    if (!gone.get(slot / slots)) {
                        living.add(before[slot]);
                        held++;
                    }
                }
                int lost = experts - living.size();
                assertThat(start.lost().stream()
                                .filter(load -> load.layer() == of)
                                .map(Survivors.Load::expert))
                        .as(where)
                        .containsAll(IntStream.range(0, experts)
                                .filter(expert -> !living.contains(expert))
                                .boxed()
                                .toList())
                        .doesNotContainAnyElementsOf(living);
                // Nobody has to give up a slot while there are free ones; where there are not, one for each that is
                // lost.
                int free = next * slotsAfter - held;
                assertThat(start.loads().stream()
                                .filter(load -> load.layer() == of)
                                .count())
                        .as(where)
                        .isEqualTo(Math.max(free, lost));
            }
        }
    }

    @Test
    void fewerSlotsThanBeforeAreFilledWithWhatIsThere() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            Topology topology = Topology.even(4, 1, 4);
            ModelShape shape = ModelShape.of("m", 8, 1, 0, LAYERS);
            Placement settled = placement(random, topology, 8);

            Survivors start = Survivors.of(settled, shape, topology, new BitSet(), 0, 2);

            // Two of each rank's four were dealt to it, so that each expert may stay somewhere.
            assertThat(PlacementRules.violations(start.start(), shape, start.topology()))
                    .as("seed " + seed)
                    .isEmpty();
            assertThat(start.loads()).as("seed " + seed).isEmpty();
        }
    }

    @Test
    void tooFewSlotsAreRefusedWithWhatWouldDo() {
        Topology two = Topology.even(2, 1, 2);
        ModelShape shape = ModelShape.of("m", 4, 1, 0, 1);
        Placement settled = Placement.of(7, new int[][] {{0, 1, 2, 3}});

        assertThatThrownBy(() -> Survivors.of(settled, shape, two, ranks(1), 0, 2))
                .hasMessageContaining("1 ranks of 2 slots cannot hold 4 experts")
                .hasMessageContaining("with 4 to 4 slots they can");
        assertThatThrownBy(() -> Survivors.of(settled, shape, two, ranks(2), 0, 2))
                .hasMessageContaining("there must be such ranks");
    }

    private static BitSet ranks(int... ranks) {
        BitSet set = new BitSet();
        IntStream.of(ranks).forEach(set::set);
        return set;
    }

    /** A valid one: experts dealt out, and the slots that are left with others that the rank does not have. */
    private static Placement placement(Random random, Topology topology, int experts) {
        int[][] layers = new int[LAYERS][];
        for (int layer = 0; layer < LAYERS; layer++) {
            List<List<Integer>> ofRank = new ArrayList<>();
            IntStream.range(0, topology.ranks()).forEach(rank -> ofRank.add(new ArrayList<>()));
            List<Integer> all =
                    new ArrayList<>(IntStream.range(0, experts).boxed().toList());
            Collections.shuffle(all, random);
            for (int i = 0; i < experts; i++) {
                ofRank.get(i % topology.ranks()).add(all.get(i));
            }
            for (List<Integer> rank : ofRank) {
                List<Integer> others = new ArrayList<>(all);
                others.removeAll(rank);
                Collections.shuffle(others, random);
                while (rank.size() < topology.slotsPerRank()) {
                    rank.add(others.remove(0));
                }
            }
            layers[layer] = ofRank.stream()
                    .flatMap(List::stream)
                    .mapToInt(Integer::intValue)
                    .toArray();
        }
        return Placement.of(3, layers);
    }
}
