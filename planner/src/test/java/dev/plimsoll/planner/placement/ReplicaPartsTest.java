package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.model.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReplicaPartsTest {
    private static final Topology FOUR = Topology.even(4, 1, 2);
    private static final ModelShape SHAPE = ModelShape.of("tiny", 4, 1, 0, 1);
    /** Expert 0 has three replicas, on ranks 0, 1 and 2, expert 1 two, on ranks 0 and 3. */
    private static final int[] PLACED = {0, 1, 0, 2, 0, 3, 1, 2};

    /** One token from every source rank, sent as the rule says. */
    @Test
    void partsAreWhatSourceRanksSend() {
        for (ReplicaShare share : List.of(ReplicaShare.BY_SOURCE, ReplicaShare.LOCAL_FIRST)) {
            for (int seed = 0; seed < 300; seed++) {
                Random random = new Random(seed);
                Topology topology = Topology.even(1 + random.nextInt(8), 1, 1 + random.nextInt(4));
                int experts = topology.slotsPerRank() + random.nextInt(topology.slots() - topology.slotsPerRank() + 1);
                int[] placed = placed(random, topology, experts);
                double[] load = random.doubles(experts, 1, 100).toArray();
                int layer = random.nextInt(5);

                double[] expected = new double[topology.slots()];
                for (int expert = 0; expert < experts; expert++) {
                    List<Integer> slots = slotsOf(placed, expert);
                    for (int rank = 0; rank < topology.ranks() && !slots.isEmpty(); rank++) {
                        int slot = share == ReplicaShare.BY_SOURCE
                                ? slots.get(rank % slots.size())
                                : localFirst(slots, rank, layer + expert, topology);
                        expected[slot] += load[expert] / topology.ranks();
                    }
                }
                assertThat(ReplicaParts.of(share).slotLoads(layer, placed, load, topology))
                        .as("%s, seed %d", share, seed)
                        .containsExactly(expected, within(1e-9));
            }
        }
    }

    @Test
    void noTokenIsLostOrMade() {
        for (ReplicaShare share :
                List.of(ReplicaShare.EVEN, ReplicaShare.BY_SOURCE, ReplicaShare.LOCAL_FIRST, ReplicaShare.FITTED)) {
            double[] load = {60, 40, 10, 7};

            double[] ofRank =
                    ReplicaParts.of(members(share), List.of(measured())).rankLoads(0, PLACED, load, FOUR);

            assertThat(Arrays.stream(ofRank).sum()).isCloseTo(117, within(1e-9));
        }
    }

    /** Of four source ranks two come to the first of three replicas. */
    @Test
    void threeReplicasOfFourSourceRanksAreOneThatGetsHalf() {
        double[] ofSlot =
                ReplicaParts.of(ReplicaShare.BY_SOURCE).slotLoads(0, PLACED, new double[] {60, 0, 0, 0}, FOUR);

        assertThat(ofSlot).containsExactly(30, 0, 15, 0, 15, 0, 0, 0);
    }

    @Test
    void anIdleSlotGetsNothingAndIsNoReplica() {
        int[] inUse = {0, 1, -1, 2, 0, 3, 1, 2};

        assertThat(ReplicaParts.of(ReplicaShare.BY_SOURCE).slotLoads(0, inUse, new double[] {60, 0, 0, 0}, FOUR))
                .containsExactly(30, 0, 0, 0, 30, 0, 0, 0);
    }

    @Test
    void whatWindowsHaveMeasuredIsExpectedOfEveryExpertWithAsManyReplicas() {
        ReplicaParts parts = ReplicaParts.of(members(ReplicaShare.FITTED), List.of(measured()));

        int[] other = {2, 1, 2, 0, 2, 3, 1, 0};
        assertThat(parts.slotLoads(0, other, new double[] {0, 0, 100, 0}, FOUR))
                .containsExactly(new double[] {60, 0, 30, 0, 10, 0, 0, 0}, within(1e-9));
        assertThat(parts.even()).isFalse();
    }

    @Test
    void whatNoWindowHasMeasuredIsTakenToBeEven() {
        ReplicaParts parts = ReplicaParts.of(members(ReplicaShare.FITTED), List.of(measured()));

        assertThat(parts.slotLoads(0, new int[] {0, 1, 0, 2, 0, 3, 0, 1}, new double[] {100, 0, 0, 0}, FOUR))
                .containsExactly(25, 0, 25, 0, 25, 0, 25, 0);
        assertThat(ReplicaParts.of(members(ReplicaShare.FITTED), List.of(ExpertLoad.of(1, new long[][] {{1, 2, 3, 4}})))
                        .even())
                .isTrue();
    }

    /** So that a search may take another replica never to be a burden. */
    @Test
    void divisorsNeverFallAndAreNeverMoreThanReplicas() {
        for (ReplicaShare share :
                List.of(ReplicaShare.EVEN, ReplicaShare.BY_SOURCE, ReplicaShare.LOCAL_FIRST, ReplicaShare.FITTED)) {
            for (int ranks = 1; ranks <= 20; ranks++) {
                double[] divisors =
                        ReplicaParts.of(members(share), List.of(measured())).divisors(ranks + 2, ranks);
                for (int replicas = 1; replicas < divisors.length; replicas++) {
                    assertThat(divisors[replicas])
                            .as("%s, %d replicas on %d ranks", share, replicas, ranks)
                            .isBetween(divisors[replicas - 1], (double) replicas);
                }
                assertThat(divisors[1]).isEqualTo(1);
            }
            assertThat(ReplicaParts.of(ReplicaShare.BY_SOURCE).divisors(4, 4)).containsExactly(1, 1, 2, 2, 4);
        }
    }

    /** Two experts of the same load, and redundant slots for three replicas of one, or two of each: by source the third is of no use. */
    @Test
    void policyMakesNoReplicaThatTakesNothingOff() {
        Topology topology = Topology.even(4, 1, 2);
        Placement settled = Placement.of(1, new int[][] {{0, 1, 0, 2, 0, 3, 1, 4}});
        ModelShape shape = ModelShape.of("tiny", 5, 1, 0, 1);
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < 4; window++) {
            windows.add(ExpertLoad.of(window, new long[][] {{400, 200, 100, 100, 100}}));
        }
        PlanRequest request = PlanRequest.of(windows, settled, shape, topology);
        ReplicaParts bySource = ReplicaParts.of(ReplicaShare.BY_SOURCE);
        double[] load = windows.get(0).layer(0);

        double even = EvenSplit.max(bySource.rankLoads(
                0, Policy.named("plimsoll").plan(request).target().layer(0), load, topology));
        double knowing = EvenSplit.max(bySource.rankLoads(
                0,
                Policy.named("plimsoll")
                        .plan(request.withParts(bySource))
                        .target()
                        .layer(0),
                load,
                topology));

        assertThat(knowing).isLessThanOrEqualTo(even);
        assertThat(knowing).isLessThan(EvenSplit.max(bySource.rankLoads(0, settled.layer(0), load, topology)));
    }

    @Test
    void promiseAndGainAreOfWhatRanksWouldGet() {
        Placement settled = Placement.of(1, new int[][] {{0, 1, 2, 3, 0, 2, 1, 3}});
        Placement target = Placement.of(2, new int[][] {{0, 1, 2, 0, 0, 2, 1, 3}});
        ExpertLoad newest = ExpertLoad.of(5, new long[][] {{400, 100, 100, 100}});
        ReplicaParts bySource = ReplicaParts.of(ReplicaShare.BY_SOURCE);
        Gate.Settings settings = new Gate.Settings(0, 0, 10, 0.5, 1e9, Duration.ofMillis(1));

        Verdict verdict = Gate.judge(
                settings,
                Objective.TOKENS,
                Gate.nothing(settings),
                BatchCutter.cut(PlanRequest.of(List.of(newest), settled, SHAPE, FOUR), Plan.of(target), 4, 1),
                target,
                settled,
                members(ReplicaShare.BY_SOURCE),
                newest,
                bySource,
                Duration.ofSeconds(1));

        // Rank 0 gets half of expert 0 either way; that a third replica takes anything off it is what an even split
        // would say.
        assertThat(verdict.numbers().gain()).isZero();
        assertThat(verdict.numbers().predictedBalancedness())
                .isEqualTo(bySource.balance(target, newest.toDoubles(), FOUR).mean())
                .isCloseTo(175.0 / 250, within(1e-9));
        assertThat(EvenSplit.balance(target, newest.toDoubles(), FOUR).mean()).isGreaterThan(0.8);
    }

    /** Three replicas that got 60, 30 and 10 of 100. */
    private static ExpertLoad measured() {
        Placement placement = Placement.of(0, new int[][] {PLACED});
        return ExpertLoad.none(0, 1, 1, 4).over(8).plus(placement, new long[][][] {{{60, 5, 30, 1, 10, 1, 5, 1}}});
    }

    private static Membership members(ReplicaShare share) {
        return new Membership(new Deployment("d"), 1, SHAPE, FOUR, "test", Phase.ALL, GatherMode.HOST, 16, 64, 100, 400)
                .withTraits(EngineTraits.USUAL.withShare(share));
    }

    private static int localFirst(List<Integer> slots, int rank, int first, Topology topology) {
        for (int slot : slots) {
            if (slot / topology.slotsPerRank() == rank) {
                return slot;
            }
        }
        int turn = first;
        for (int before = 0; before < rank; before++) {
            int other = before;
            if (slots.stream().noneMatch(slot -> slot / topology.slotsPerRank() == other)) {
                turn++;
            }
        }
        return slots.get(turn % slots.size());
    }

    private static List<Integer> slotsOf(int[] placed, int expert) {
        List<Integer> slots = new ArrayList<>();
        for (int slot = 0; slot < placed.length; slot++) {
            if (placed[slot] == expert) {
                slots.add(slot);
            }
        }
        return slots;
    }

    /** Every rank holds different experts, and not all slots are in use. */
    private static int[] placed(Random random, Topology topology, int experts) {
        int[] placed = new int[topology.slots()];
        for (int rank = 0; rank < topology.ranks(); rank++) {
            List<Integer> all = new ArrayList<>();
            for (int expert = 0; expert < experts; expert++) {
                all.add(expert);
            }
            for (int slot = 0; slot < topology.slotsPerRank(); slot++) {
                int expert = all.remove(random.nextInt(all.size()));
                placed[rank * topology.slotsPerRank() + slot] = random.nextInt(8) == 0 ? -1 : expert;
            }
        }
        return placed;
    }
}
