package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Gain;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferLists;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class BatchCutterTest {
    private static final ModelShape THREE = ModelShape.of("three layers", 4, 1, 0, 3);
    private static final Topology TOPOLOGY = Topology.even(2, 1, 2);
    private static final Placement SETTLED = Placement.initial(THREE, TOPOLOGY);
    /** Swaps of one slot, of all slots, of one slot. */
    private static final Placement TARGET = Placement.of(0, new int[][] {{0, 2, 1, 3}, {2, 3, 0, 1}, {0, 2, 1, 3}});

    private static PlanRequest request(Placement settled, Topology topology, Budget budget, long[]... load) {
        ModelShape shape = ModelShape.of("layers", load[0].length, 1, 0, load.length);
        return new PlanRequest(List.of(ExpertLoad.of(0, load)), settled, shape, topology, budget, MovePrices.EQUAL, 0);
    }

    private static Candidate cut(int stagedPerRank) {
        return BatchCutter.cut(
                request(SETTLED, TOPOLOGY, Budget.UNLIMITED, new long[3][4]), Plan.of(TARGET), stagedPerRank, 1);
    }

    @Test
    void layersThatPayMostGoFirstWhenTheBudgetIsShort() {
        // Two layers want one swap, two moves; it is worth more in layer 2.
        for (Budget budget : List.of(
                new Budget(3, Long.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE),
                new Budget(Integer.MAX_VALUE, 399, Integer.MAX_VALUE, Integer.MAX_VALUE),
                new Budget(Integer.MAX_VALUE, Long.MAX_VALUE, 1, Integer.MAX_VALUE))) {
            Candidate cut = BatchCutter.cut(
                    request(SETTLED, TOPOLOGY, budget, new long[][] {{5, 5, 1, 1}, {9, 9, 9, 9}, {50, 50, 1, 1}}),
                    Plan.of(Placement.of(0, new int[][] {{0, 2, 1, 3}, {0, 1, 2, 3}, {0, 2, 1, 3}})),
                    2,
                    100);

            assertThat(cut.overBudget()).as("%s", budget).containsExactly(0);
            assertThat(cut.moves()).isEqualTo(2);
            assertThat(cut.target().layer(0)).isEqualTo(SETTLED.layer(0));
            assertThat(cut.target().layer(2)).isEqualTo(TARGET.layer(2));
        }
    }

    @Test
    void batchesHoldWholeLayersThatFitStaging() {
        Candidate roomy = cut(3);
        Candidate tight = cut(1);

        assertThat(roomy.batches().stream().map(batch -> batch.moves().size())).containsExactly(6, 2);
        assertThat(tight.unfitting()).containsExactly(1);
        assertThat(tight.batches().stream().map(batch -> batch.moves().size())).containsExactly(2, 2);
        assertThat(layers(tight.batches())).containsExactly(0, 2);
    }

    private static Set<Integer> layers(List<Batch> batches) {
        Set<Integer> layers = new TreeSet<>();
        batches.forEach(
                batch -> batch.moves().forEach(move -> layers.add(move.layer().index())));
        return layers;
    }

    @Test
    void noBudgetIsExceededAndLayersAreMovedWholeOrNotAtAll() {
        int cutShort = 0;
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            Topology topology = Topology.even(4, 2, 2 + random.nextInt(3));
            int layers = 1 + random.nextInt(6);
            int[][] settled = new int[layers][];
            int[][] wanted = new int[layers][];
            long[][] load = new long[layers][topology.slots()];
            for (int layer = 0; layer < layers; layer++) {
                settled[layer] = shuffled(topology.slots(), random);
                wanted[layer] = random.nextInt(3) == 0 ? settled[layer] : swapped(settled[layer], random);
                for (int expert = 0; expert < topology.slots(); expert++) {
                    load[layer][expert] = random.nextInt(1000);
                }
            }
            Budget budget = new Budget(
                    1 + random.nextInt(20), 1 + random.nextInt(2000), 1 + random.nextInt(layers), Integer.MAX_VALUE);
            Placement target = Placement.of(0, wanted);
            PlanRequest request = request(Placement.of(0, settled), topology, budget, load);
            int staged = 1 + random.nextInt(topology.slotsPerRank() + 2);

            Candidate cut = BatchCutter.cut(request, Plan.of(target), staged, 100);

            assertThat(cut.moves()).as("seed %d", seed).isLessThanOrEqualTo(budget.moves());
            assertThat(100L * cut.moves()).as("seed %d", seed).isLessThanOrEqualTo(budget.bytes());
            Set<Integer> moved = layers(cut.batches());
            assertThat(moved.size()).as("seed %d", seed).isLessThanOrEqualTo(budget.layers());
            assertThat(cut.batches())
                    .as("seed %d", seed)
                    .allMatch(batch -> TransferLists.of(batch, topology).receives().stream()
                            .allMatch(receives -> receives.size() <= staged));
            for (int layer = 0; layer < layers; layer++) {
                assertThat(cut.target().layer(layer))
                        .as("seed %d", seed)
                        .isEqualTo(moved.contains(layer) ? wanted[layer] : settled[layer]);
            }
            assertThat(cut.target())
                    .as("seed %d", seed)
                    .isEqualTo(request.settled()
                            .with(
                                    0,
                                    cut.batches().stream()
                                            .flatMap(batch -> batch.moves().stream())
                                            .toList()));
            assertBestFirst(seed, request, cut, moved, target);
            assertNoBatchIsBetterThanOneBefore(seed, request, cut, target);
            cutShort += cut.overBudget().size();
        }
        assertThat(cutShort).isGreaterThan(1000);
    }

    /** No layer goes in place of one that brings more per move and takes no more moves. */
    private static void assertBestFirst(
            long seed, PlanRequest request, Candidate cut, Set<Integer> moved, Placement target) {
        for (int left : cut.overBudget()) {
            for (int taken : moved) {
                assertThat(perMove(request, target, left) > perMove(request, target, taken)
                                && moves(request, target, left) <= moves(request, target, taken))
                        .as("seed %d: layer %d in place of %d", seed, taken, left)
                        .isFalse();
            }
        }
    }

    private static void assertNoBatchIsBetterThanOneBefore(
            long seed, PlanRequest request, Candidate cut, Placement target) {
        double worst = Double.POSITIVE_INFINITY;
        for (Batch batch : cut.batches()) {
            Set<Integer> layers = layers(List.of(batch));
            for (int layer : layers) {
                assertThat(perMove(request, target, layer))
                        .as("seed %d: batch %d", seed, batch.number())
                        .isLessThanOrEqualTo(worst);
            }
            for (int layer : layers) {
                worst = Math.min(worst, perMove(request, target, layer));
            }
        }
    }

    @Test
    void byTimeTheLayersThatGainMostTimePerMoveGoFirst() {
        // Layer 0 has more tokens to even out, which cost nothing below 100; layer 1 has fewer, above it.
        DeviceProfile profile = new DeviceProfile(
                "knee",
                List.of(
                        new DeviceProfile.Point(1, 1),
                        new DeviceProfile.Point(400, 1),
                        new DeviceProfile.Point(800, 401)),
                0);
        long[][] load = {{190, 190, 1, 1}, {500, 450, 401, 402}};
        Placement settled = Placement.of(0, new int[][] {{0, 1, 2, 3}, {0, 1, 2, 3}});
        Placement target = Placement.of(0, new int[][] {{0, 2, 1, 3}, {0, 2, 1, 3}});
        PlanRequest byTokens = request(settled, TOPOLOGY, Budget.UNLIMITED, load);
        PlanRequest byTime = new PlanRequest(
                List.of(ExpertLoad.of(0, load).over(1)),
                settled,
                byTokens.shape(),
                TOPOLOGY,
                Budget.UNLIMITED,
                MovePrices.EQUAL,
                Objective.time(profile),
                false,
                0);

        assertThat(firstLayers(BatchCutter.cut(byTokens, Plan.of(target), 1, 1)))
                .containsExactly(0, 1);
        assertThat(firstLayers(BatchCutter.cut(byTime, Plan.of(target), 1, 1))).containsExactly(1, 0);
    }

    private static List<Integer> firstLayers(Candidate cut) {
        return cut.batches().stream()
                .map(batch -> batch.moves().get(0).layer().index())
                .toList();
    }

    private static double perMove(PlanRequest request, Placement target, int layer) {
        double[] load = request.newest().layer(layer);
        return (EvenSplit.max(EvenSplit.rankLoads(request.settled().layer(layer), load, request.topology()))
                        - EvenSplit.max(EvenSplit.rankLoads(target.layer(layer), load, request.topology())))
                / moves(request, target, layer);
    }

    private static int moves(PlanRequest request, Placement target, int layer) {
        int[] before = request.settled().layer(layer);
        int[] after = target.layer(layer);
        int moves = 0;
        for (int slot = 0; slot < before.length; slot++) {
            moves += before[slot] == after[slot] ? 0 : 1;
        }
        return moves;
    }

    /** Four experts and four redundant slots, of which some stand idle. */
    private static Placement redundant(int layers, BitSet... idle) {
        Topology topology = Topology.even(4, 2, 2);
        int[][] experts = new int[layers][];
        Arrays.fill(experts, new int[] {0, 1, 2, 3, 1, 0, 3, 2});
        assertThat(topology.slots()).isEqualTo(8);
        return Placement.of(0, experts, idle);
    }

    private static BitSet slots(int... slots) {
        BitSet set = new BitSet();
        Arrays.stream(slots).forEach(set::set);
        return set;
    }

    @Test
    void layersThatAreOnlySwitchedAreABatchWithoutTransfersAheadOfTheOthers() {
        Placement settled = redundant(3, slots(4), slots(6, 7));
        int[][] wanted = settled.toArray();
        wanted[1] = new int[] {0, 1, 2, 3, 1, 0, 0, 2};
        Placement target = Placement.of(0, wanted, new BitSet[] {slots(5), slots(6), slots(0)});
        Budget tight = new Budget(1, Long.MAX_VALUE, 1, 1);

        Candidate cut = BatchCutter.cut(
                request(settled, Topology.even(4, 2, 2), tight, new long[3][4]), Plan.of(target), 1, 100);

        assertThat(cut.target()).isEqualTo(target);
        assertThat(cut.batches().get(0))
                .isEqualTo(new Batch(
                        1, List.of(), List.of(toSwitch(0, 4, true), toSwitch(0, 5, false), toSwitch(2, 0, false))));
        assertThat(cut.batches().get(1).moves()).hasSize(1);
        assertThat(cut.batches().get(1).switches())
                .as("slot 6 is moved, in use with that, and to be idle again; slot 7 comes into use")
                .containsExactly(toSwitch(1, 6, false), toSwitch(1, 7, true));
        assertThat(cut.moves()).isEqualTo(1);
        assertThat(cut.switches()).isEqualTo(5);
    }

    private static Switch toSwitch(int layer, int slot, boolean inUse) {
        return new Switch(new LayerId(layer), new SlotId(slot), inUse);
    }

    @Test
    void batchesLeadFromAnySlotsInUseToAnyOthers() {
        Topology topology = Topology.even(4, 2, 2);
        Membership members = new Membership(
                        new Deployment("d"),
                        1,
                        ModelShape.of("m", 4, 1, 0, 3),
                        topology,
                        "e",
                        Phase.ALL,
                        GatherMode.HOST,
                        1,
                        1,
                        1,
                        2)
                .withIdleSlots(true);
        int switched = 0;
        for (long seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            Placement settled = anyIdle(redundant(3), random);
            int[][] wanted = settled.toArray();
            if (random.nextBoolean()) {
                wanted[1] = new int[] {3, 2, 1, 0, 1, 0, 3, 2};
            }
            Placement target = anyIdle(Placement.of(0, wanted), random);

            Candidate cut = BatchCutter.cut(
                    request(settled, topology, Budget.UNLIMITED, new long[3][4]), Plan.of(target), 2, 1);

            assertThat(cut.target()).as("seed %d", seed).isEqualTo(target);
            assertThat(settled.withBatches(0, cut.batches()))
                    .as("seed %d", seed)
                    .isEqualTo(target);
            if (!cut.batches().isEmpty()) {
                Propose propose = new Propose(
                        new PlanHeader(members.deployment(), 1, 1, 1),
                        1,
                        0,
                        PlanHash.of(target.withVersion(1), cut.batches()),
                        cut.batches(),
                        0,
                        0.5,
                        0.9,
                        "p",
                        "r");
                assertThat(PlacementRules.violations(propose, settled, target, members))
                        .as("seed %d", seed)
                        .isEmpty();
            }
            switched += cut.switches();
        }
        assertThat(switched).isGreaterThan(5000);
    }

    /** Of the two slots of an expert one is idle, or none. */
    private static Placement anyIdle(Placement placement, Random random) {
        BitSet[] idle = new BitSet[placement.layers()];
        for (int layer = 0; layer < idle.length; layer++) {
            int[][] slots = placement.slotsOfExperts(layer, 4);
            idle[layer] = new BitSet();
            for (int[] ofExpert : slots) {
                int one = random.nextInt(3);
                if (one < ofExpert.length && ofExpert.length > 1) {
                    idle[layer].set(ofExpert[one]);
                }
            }
        }
        return Placement.of(placement.version(), placement.toArray(), idle);
    }

    private static int[] shuffled(int slots, Random random) {
        List<Integer> experts = new ArrayList<>();
        for (int expert = 0; expert < slots; expert++) {
            experts.add(expert);
        }
        Collections.shuffle(experts, random);
        return experts.stream().mapToInt(expert -> expert).toArray();
    }

    private static int[] swapped(int[] experts, Random random) {
        int[] swapped = experts.clone();
        for (int swap = 0; swap <= random.nextInt(4); swap++) {
            int a = random.nextInt(swapped.length);
            int b = random.nextInt(swapped.length);
            int expert = swapped[a];
            swapped[a] = swapped[b];
            swapped[b] = expert;
        }
        return swapped;
    }

    private static LayerReason reason(Stop stop, int... slots) {
        List<Gain> gains = new ArrayList<>();
        for (int slot : slots) {
            gains.add(new Gain(slot, 0.1 * (slot + 1)));
        }
        return new LayerReason(0.5, 0.75, 0.9, gains, stop, 0.01);
    }

    @Test
    void reasonsOfMovedLayersAreKeptAndTheOthersAreCountedByWhyTheyStay() {
        Placement settled = Placement.initial(ModelShape.of("five", 4, 1, 0, 5), TOPOLOGY);
        int[] one = {0, 2, 1, 3};
        Placement target = Placement.of(0, new int[][] {one, {2, 3, 0, 1}, {0, 1, 2, 3}, one, {0, 1, 2, 3}});
        List<LayerReason> said = List.of(
                reason(Stop.OPTIMUM, 1, 2),
                reason(Stop.OPTIMUM, 0, 1, 2, 3),
                reason(Stop.PRICE),
                reason(Stop.NOISE, 1, 2),
                reason(Stop.PRICE));
        long[][] load = {{5, 5, 1, 1}, {5, 5, 1, 1}, {1, 1, 1, 1}, {9, 9, 1, 1}, {1, 1, 1, 1}};
        Budget budget = new Budget(3, Long.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE);

        Candidate cut = BatchCutter.cut(request(settled, TOPOLOGY, budget, load), new Plan(target, said), 1, 1);

        assertThat(cut.reasons().moved()).isEqualTo(Map.of(3, said.get(3)));
        assertThat(cut.reasons().kept()).isEqualTo(Map.of(Stop.BUDGET, 1, Stop.STAGING, 1, Stop.PRICE, 2));
    }

    @Test
    void policyThatSaysNothingLeavesNoReasons() {
        assertThat(cut(3).reasons()).isEqualTo(PlanReasons.NONE);
    }

    @Test
    void gainsOfOtherSlotsThanThoseMovedAreRefused() {
        List<LayerReason> said =
                List.of(reason(Stop.OPTIMUM, 1, 2), reason(Stop.OPTIMUM, 0, 1, 2, 3), reason(Stop.OPTIMUM, 1));
        PlanRequest request = request(SETTLED, TOPOLOGY, Budget.UNLIMITED, new long[3][4]);

        assertThatThrownBy(() -> BatchCutter.cut(request, new Plan(TARGET, said), 3, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("layer 2 moves slots [1, 2], gains are of slots [1]");
    }
}
