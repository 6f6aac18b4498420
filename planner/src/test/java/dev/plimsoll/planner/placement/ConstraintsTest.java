package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Constraints.Pin;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ConstraintsTest {
    private static final ModelShape FOUR = ModelShape.of("four", 4, 1, 0, 1);
    private static final Topology THREE_RANKS = Topology.even(3, 1, 2);
    private static final ExpertLoad LOAD = ExpertLoad.of(0, new long[][] {{40, 10, 20, 30}});

    private static Pin pin(int layer, int expert, int rank) {
        return new Pin(new LayerId(layer), new ExpertId(expert), new RankId(rank));
    }

    private static Constraints constraints(Set<Pin> pins, int... drained) {
        TreeSet<RankId> ranks = new TreeSet<>();
        Arrays.stream(drained).mapToObj(RankId::new).forEach(ranks::add);
        return new Constraints(new TreeSet<>(pins), ranks);
    }

    private static Placement on(Constraints wanted, boolean idleSlots, int... settled) {
        Placement placement = Placement.of(3, new int[][] {settled});
        return wanted.on(placement, placement, FOUR, THREE_RANKS, idleSlots, LOAD);
    }

    @Test
    void pinnedExpertTakesThePlaceOfOneThatIsElsewhereToo() {
        Placement kept = on(constraints(Set.of(pin(0, 3, 0))), false, 0, 1, 0, 2, 3, 1);
        // Experts 0 and 1 are on rank 0, and both elsewhere: 10 tokens over two replicas are less than 40.
        assertThat(kept.layer(0)).containsExactly(0, 3, 0, 2, 3, 1);
        assertThat(kept.version()).isEqualTo(3);
    }

    @Test
    void expertThatMakesRoomForAPinAndWasNowhereElseGetsAnotherSlot() {
        Placement kept = on(constraints(Set.of(pin(0, 3, 0))), false, 0, 1, 2, 3, 2, 3);
        assertThat(kept.layer(0)[1]).isEqualTo(3);
        assertThat(changed(kept.layer(0), 0, 1, 2, 3, 2, 3)).isEqualTo(2);
        assertThat(PlacementRules.violations(kept, FOUR, THREE_RANKS)).isEmpty();
    }

    @Test
    void drainedRankStandsIdleAndItsExpertsAreOnOthers() {
        Placement kept = on(constraints(Set.of(), 2), true, 0, 1, 0, 2, 3, 1);
        assertThat(kept.idle(0)).isEqualTo(bits(4, 5));
        assertThat(kept.layer(0)).as("it keeps its weights").endsWith(3, 1);
        assertThat(Arrays.copyOf(kept.layer(0), 4)).containsExactlyInAnyOrder(0, 1, 2, 3);
    }

    @Test
    void whereNoSlotMayStandIdleADrainedRankServesWhatOthersServeToo() {
        Placement kept = on(constraints(Set.of(), 2), false, 0, 1, 0, 2, 3, 1);
        assertThat(kept.idleSlots()).isZero();
        assertThat(Arrays.copyOf(kept.layer(0), 4)).containsExactlyInAnyOrder(0, 1, 2, 3);
    }

    @Test
    void drainedRankIsSentNothingWhateverIsWanted() {
        Placement settled = Placement.of(3, new int[][] {{0, 1, 2, 3, 0, 1}});
        Placement wanted = Placement.of(3, new int[][] {{0, 1, 2, 3, 3, 2}});
        Placement kept = constraints(Set.of(), 2).on(settled, wanted, FOUR, THREE_RANKS, false, LOAD);
        assertThat(kept.layer(0)).containsExactly(0, 1, 2, 3, 0, 1);
    }

    @Test
    void idleSlotThatHoldsTheExpertComesIntoUseInPlaceOfAMove() {
        Placement settled = Placement.of(3, new int[][] {{0, 1, 2, 3, 3, 2}}, new BitSet[] {bits(2)});
        Placement kept = constraints(Set.of(), 2).on(settled, settled, FOUR, THREE_RANKS, true, LOAD);
        assertThat(kept.layer(0)).containsExactly(0, 1, 2, 3, 3, 2);
        assertThat(kept.idle(0)).isEqualTo(bits(4, 5));
    }

    @Test
    void conflictsAreNamedWithTheirNumbers() {
        assertThat(constraints(Set.of(), 0, 1).conflicts(FOUR, THREE_RANKS))
                .containsExactly("with ranks 0, 1 drained, the other 1 ranks have 2 slots in a layer, for 4 experts");
        assertThat(constraints(Set.of(pin(0, 1, 2)), 2).conflicts(FOUR, THREE_RANKS))
                .containsExactly("rank 2 is drained, and expert 1 of layer 0 on rank 2 is pinned");
        assertThat(constraints(Set.of(pin(0, 1, 2), pin(0, 2, 2), pin(0, 3, 2))).conflicts(FOUR, THREE_RANKS))
                .containsExactly("3 experts of layer 0 are pinned to rank 2, which has 2 slots");
        assertThat(constraints(Set.of(pin(0, 1, 1), pin(0, 1, 0)), 2).conflicts(FOUR, THREE_RANKS))
                .containsExactly("in layer 0 2 pins leave 2 of 4 slots for 3 experts that are pinned nowhere");
        assertThatThrownBy(() -> on(constraints(Set.of(), 0, 1), true, 0, 1, 2, 3, 0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 slots in a layer, for 4 experts");
    }

    @Test
    void violationsSayWhatIsNotKept() {
        Placement settled = Placement.of(3, new int[][] {{0, 1, 2, 0, 3, 1}});
        assertThat(constraints(Set.of(pin(0, 3, 0)), 2).violations(settled, FOUR, THREE_RANKS, true))
                .containsExactly(
                        "pinned is expert 3 of layer 0 on rank 0, which has no slot in use for it",
                        "layer 0 has 1 experts on rank 2 alone, and that is drained");
        assertThat(constraints(Set.of(), 1).violations(settled, FOUR, THREE_RANKS, false))
                .containsExactly("layer 0 has 1 experts on rank 1 alone, and that is drained");
        Placement twice = Placement.of(3, new int[][] {{0, 1, 2, 3, 3, 1}});
        assertThat(constraints(Set.of(), 2).violations(twice, FOUR, THREE_RANKS, true))
                .containsExactly("drained rank 2 has 2 slots in use in layer 0");
        assertThat(constraints(Set.of(), 2).violations(twice, FOUR, THREE_RANKS, false))
                .isEmpty();
    }

    private static BitSet bits(int... set) {
        BitSet bits = new BitSet();
        Arrays.stream(set).forEach(bits::set);
        return bits;
    }

    private static int changed(int[] now, int... before) {
        int changed = 0;
        for (int slot = 0; slot < now.length; slot++) {
            changed += now[slot] == before[slot] ? 0 : 1;
        }
        return changed;
    }

    // ---- random ones

    private record Case(
            ModelShape shape,
            Topology topology,
            boolean idleSlots,
            Placement settled,
            Placement target,
            Constraints wanted,
            ExpertLoad load) {
        Placement kept() {
            return wanted.on(settled, target, shape, topology, idleSlots, load);
        }
    }

    private static Case random(long seed, int mostRanks, int mostExperts, int layers) {
        Random random = new Random(seed * 0x9e3779b97f4a7c15L);
        int ranks = 2 + random.nextInt(mostRanks - 1);
        int experts = 2 + random.nextInt(mostExperts - 1);
        int slots = Math.min(experts, (experts + ranks - 1) / ranks + random.nextInt(2));
        ModelShape shape = ModelShape.of("random", experts, 1, 0, layers);
        Topology topology = Topology.even(ranks, 1, slots);
        boolean idleSlots = random.nextBoolean();
        Set<Pin> pins = new HashSet<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            pins.add(pin(random.nextInt(layers), random.nextInt(experts), random.nextInt(ranks)));
        }
        int[] drained = random.ints(random.nextInt(2), 0, ranks).toArray();
        long[][] load = new long[layers][];
        Arrays.setAll(load, layer -> random.longs(experts, 0, 1000).toArray());
        return new Case(
                shape,
                topology,
                idleSlots,
                placement(random, shape, topology, idleSlots),
                placement(random, shape, topology, idleSlots),
                constraints(pins, drained),
                ExpertLoad.of(0, load));
    }

    /** Any sound one. */
    private static Placement placement(Random random, ModelShape shape, Topology topology, boolean idleSlots) {
        int[][] held = new int[shape.layers()][];
        BitSet[] idle = new BitSet[shape.layers()];
        for (int layer = 0; layer < held.length; layer++) {
            do {
                held[layer] = new int[topology.slots()];
                for (int rank = 0; rank < topology.ranks(); rank++) {
                    List<Integer> any = new ArrayList<>();
                    for (int expert = 0; expert < shape.experts(); expert++) {
                        any.add(random.nextInt(any.size() + 1), expert);
                    }
                    for (int local = 0; local < topology.slotsPerRank(); local++) {
                        held[layer][rank * topology.slotsPerRank() + local] = any.get(local);
                    }
                }
            } while (Arrays.stream(held[layer]).distinct().count() < shape.experts());
            idle[layer] = new BitSet();
            for (int slot = 0; slot < held[layer].length && idleSlots; slot++) {
                int expert = held[layer][slot];
                BitSet others = idle[layer];
                int[] experts = held[layer];
                boolean elsewhere = false;
                for (int other = 0; other < experts.length; other++) {
                    elsewhere |= other != slot && experts[other] == expert && !others.get(other);
                }
                idle[layer].set(slot, elsewhere && random.nextInt(3) == 0);
            }
        }
        return Placement.of(7, held, idle);
    }

    @Test
    void anyTargetBecomesASoundOneThatKeepsWhatIsAsked() {
        int conflicts = 0;
        int kept = 0;
        for (long seed = 0; seed < 2000; seed++) {
            Case any = random(seed, 6, 9, 2);
            if (!any.wanted().conflicts(any.shape(), any.topology()).isEmpty()) {
                conflicts++;
                continue;
            }
            Placement result = any.kept();
            String as = "seed " + seed + ": " + any;
            assertThat(PlacementRules.violations(result, any.shape(), any.topology()))
                    .as(as)
                    .isEmpty();
            requireKept(any, result, as);
            assertThat(any.wanted().violations(result, any.shape(), any.topology(), any.idleSlots()))
                    .as(as)
                    .isEmpty();
            assertThat(result.version()).as(as).isEqualTo(7);
            assertThat(any.idleSlots() || result.idleSlots() == 0).as(as).isTrue();
            assertThat(any.wanted().on(any.settled(), result, any.shape(), any.topology(), any.idleSlots(), any.load()))
                    .as(as + ": what keeps it stays")
                    .isEqualTo(result);
            assertThat(any.kept()).as(as).isEqualTo(result);
            kept++;
        }
        assertThat(conflicts).isGreaterThan(250);
        assertThat(kept).isGreaterThan(1000);
    }

    private static void requireKept(Case any, Placement result, String as) {
        int slots = any.topology().slotsPerRank();
        for (Pin pin : any.wanted().pins()) {
            int first = pin.rank().index() * slots;
            assertThat(Arrays.copyOfRange(result.inUse(pin.layer().index()), first, first + slots))
                    .as(as + ": " + pin)
                    .contains(pin.expert().index());
        }
        for (int layer = 0; layer < result.layers(); layer++) {
            BitSet served = new BitSet();
            for (int slot = 0; slot < result.slots(); slot++) {
                boolean drained = any.wanted().drained().contains(new RankId(slot / slots));
                if (!drained && !result.idle(layer, slot)) {
                    served.set(result.layer(layer)[slot]);
                } else if (drained) {
                    assertThat(result.layer(layer)[slot])
                            .as(as)
                            .isEqualTo(any.settled().layer(layer)[slot]);
                    assertThat(result.idle(layer, slot)).as(as).isEqualTo(any.idleSlots());
                }
            }
            assertThat(served.cardinality()).as(as).isEqualTo(any.shape().experts());
        }
    }

    /** Against all placements there are: infeasible is what none keeps, and of those that keep it ours is among the nearest. */
    @Test
    void tinyOnesAreChangedAsLittleAsCanBe() {
        int conflicts = 0;
        int more = 0;
        int compared = 0;
        for (long seed = 0; seed < 1500; seed++) {
            Case any = random(seed, 3, 4, 1);
            if (any.topology().slots() > 6) {
                continue;
            }
            OptionalInt least = least(any);
            boolean conflict =
                    !any.wanted().conflicts(any.shape(), any.topology()).isEmpty();
            assertThat(conflict).as("seed " + seed + ": " + any).isEqualTo(least.isEmpty());
            if (conflict) {
                conflicts++;
                continue;
            }
            int changed = changed(any.kept().layer(0), any.target().layer(0));
            assertThat(changed).as("seed " + seed + ": " + any).isBetween(least.getAsInt(), least.getAsInt() + 1);
            more += changed - least.getAsInt();
            compared++;
        }
        System.out.println(compared + " compared, " + more + " of them changed one slot more than the least");
        assertThat(conflicts).isGreaterThan(150);
        assertThat(compared).isGreaterThan(500);
        assertThat(more).isLessThan(compared / 50);
    }

    private static OptionalInt least(Case any) {
        int slots = any.topology().slots();
        int[] held = any.target().layer(0);
        BitSet free = new BitSet();
        for (int slot = 0; slot < slots; slot++) {
            if (any.wanted().drained().contains(new RankId(slot / any.topology().slotsPerRank()))) {
                held[slot] = any.settled().layer(0)[slot];
            } else {
                free.set(slot);
            }
        }
        return least(any, held, free, 0);
    }

    private static OptionalInt least(Case any, int[] held, BitSet free, int from) {
        int slot = free.nextSetBit(from);
        if (slot < 0) {
            return keeps(any, held, free)
                    ? OptionalInt.of(changed(held, any.target().layer(0)))
                    : OptionalInt.empty();
        }
        OptionalInt best = OptionalInt.empty();
        int before = held[slot];
        for (int expert = 0; expert < any.shape().experts(); expert++) {
            held[slot] = expert;
            OptionalInt found = least(any, held, free, slot + 1);
            if (found.isPresent() && (best.isEmpty() || found.getAsInt() < best.getAsInt())) {
                best = found;
            }
        }
        held[slot] = before;
        return best;
    }

    private static boolean keeps(Case any, int[] held, BitSet free) {
        int slots = any.topology().slotsPerRank();
        Set<Integer> served = new HashSet<>();
        Set<List<Integer>> onRank = new HashSet<>();
        for (int slot = 0; slot < held.length; slot++) {
            if (free.get(slot)) {
                served.add(held[slot]);
                if (!onRank.add(List.of(held[slot], slot / slots))) {
                    return false;
                }
            }
        }
        return served.size() == any.shape().experts()
                && any.wanted().pins().stream()
                        .allMatch(pin -> onRank.contains(
                                List.of(pin.expert().index(), pin.rank().index())));
    }
}
