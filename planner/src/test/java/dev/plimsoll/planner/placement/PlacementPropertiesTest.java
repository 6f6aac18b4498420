package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Seeded random shapes and loads; a chain of plans each, so that most start from a placement that a plan made. */
class PlacementPropertiesTest {

    record Case(Membership members, List<double[][]> loads) {}

    static Case random(long seed) {
        Random random = new Random(seed);
        int ranks = 1 + random.nextInt(9);
        int nodes = ranks % 2 == 0 && random.nextBoolean() ? 2 : 1;
        int experts = 1 + random.nextInt(24);
        int least = (experts + ranks - 1) / ranks;
        // From no redundancy, where it divides, to every rank holding every expert.
        int slotsPerRank = switch (random.nextInt(4)) {
            case 0 -> least;
            case 1 -> experts;
            default -> least + random.nextInt(experts - least + 1);
        };
        int layers = 1 + random.nextInt(3);
        List<double[][]> loads = new ArrayList<>();
        for (int plan = 0; plan < 4; plan++) {
            double[][] load = new double[layers][experts];
            int kind = random.nextInt(6);
            for (double[] layer : load) {
                for (int expert = 0; expert < experts; expert++) {
                    layer[expert] = switch (kind) {
                        case 0 -> 0;
                        case 1 -> 7;
                        case 2 -> expert == experts / 2 ? 1e6 : 0;
                        case 3 -> random.nextInt(3);
                        case 4 -> Math.floor(1e4 / (1 + random.nextInt(experts)));
                        default -> random.nextInt(1000);
                    };
                }
            }
            loads.add(load);
        }
        Membership members = new Membership(
                new Deployment("random"),
                1,
                ModelShape.of("random", experts, 1, 0, layers),
                Topology.even(ranks, nodes, slotsPerRank),
                "test",
                Phase.ALL,
                GatherMode.HOST,
                1,
                1,
                1,
                1 + random.nextInt(slotsPerRank * 2));
        return new Case(members, loads);
    }

    private static PlanRequest request(double[][] load, Placement settled, ModelShape shape, Topology topology) {
        long[][] tokens = new long[load.length][];
        for (int layer = 0; layer < load.length; layer++) {
            tokens[layer] = Arrays.stream(load[layer]).mapToLong(Math::round).toArray();
        }
        return PlanRequest.of(List.of(ExpertLoad.of(0, tokens)), settled, shape, topology);
    }

    @Test
    void everyPlanIsValidKeepsSlotsAndIsTheSameTwice() {
        int moved = 0;
        int batches = 0;
        int unfitting = 0;
        for (long seed = 0; seed < 2000; seed++) {
            Case given = random(seed);
            Membership members = given.members();
            Placement settled = Placement.initial(members.shape(), members.topology());
            for (double[][] load : given.loads()) {
                PlanRequest request = request(load, settled, members.shape(), members.topology());
                Placement target = Policy.named("plimsoll").plan(request).target();

                assertThat(PlacementRules.violations(target, members.shape(), members.topology()))
                        .as("seed %d", seed)
                        .isEmpty();
                assertThat(Policy.named("plimsoll").plan(request).target())
                        .as("seed %d", seed)
                        .isEqualTo(target);
                assertSlotsKept(seed, settled, target, members.topology());
                assertNoLayerIsWorse(seed, request, target);

                Candidate cut = BatchCutter.cut(request, Plan.of(target), members.stagedExpertsPerRank(), 1);
                unfitting += cut.unfitting().size();
                if (!cut.batches().isEmpty()) {
                    Propose propose = propose(settled, cut);
                    assertThat(PlacementRules.violations(propose, settled, cut.target(), members))
                            .as("seed %d", seed)
                            .isEmpty();
                    moved += cut.moves();
                    batches += cut.batches().size();
                    settled = cut.target().withVersion(propose.epoch());
                }
            }
        }
        assertThat(moved).isGreaterThan(5000);
        assertThat(batches).isGreaterThan(2000);
        assertThat(unfitting).isGreaterThan(100);
    }

    private static Propose propose(Placement settled, Candidate cut) {
        int epoch = settled.version() + 1;
        return new Propose(
                new PlanHeader(new Deployment("random"), 1, 1, 1),
                epoch,
                settled.version(),
                cut.target().withVersion(epoch).hash(),
                cut.batches(),
                0,
                0,
                0,
                "plimsoll",
                "test");
    }

    /** Nobody changes its slot without changing its rank. */
    static void assertSlotsKept(long seed, Placement before, Placement after, Topology topology) {
        for (int layer = 0; layer < before.layers(); layer++) {
            int[] old = before.layer(layer);
            int[] now = after.layer(layer);
            for (int slot = 0; slot < old.length; slot++) {
                if (old[slot] == now[slot]) {
                    continue;
                }
                int first = slot / topology.slotsPerRank() * topology.slotsPerRank();
                int[] rank = Arrays.copyOfRange(old, first, first + topology.slotsPerRank());
                int expert = now[slot];
                assertThat(Arrays.stream(rank).noneMatch(held -> held == expert))
                        .as("seed %d: expert %d comes anew to the rank of slot %d", seed, expert, slot)
                        .isTrue();
            }
        }
    }

    private static void assertNoLayerIsWorse(long seed, PlanRequest request, Placement target) {
        for (int layer = 0; layer < target.layers(); layer++) {
            double[] load = request.newest().layer(layer);
            double before =
                    EvenSplit.max(EvenSplit.rankLoads(request.settled().layer(layer), load, request.topology()));
            double after = EvenSplit.max(EvenSplit.rankLoads(target.layer(layer), load, request.topology()));
            assertThat(after).as("seed %d layer %d", seed, layer).isLessThanOrEqualTo(before);
        }
    }

    @Test
    void zeroLoadMovesNothing() {
        ModelShape shape = ModelShape.of("idle", 8, 2, 0, 2);
        Topology topology = Topology.even(4, 2, 3);
        Placement settled = Placement.initial(shape, topology);

        Placement target = Policy.named("plimsoll")
                .plan(request(new double[2][8], settled, shape, topology))
                .target();

        assertThat(target).isEqualTo(settled);
    }

    @Test
    void oneHotExpertIsReplicatedOnEveryRankThatHasRoom() {
        ModelShape shape = ModelShape.of("hot", 8, 1, 0, 1);
        Topology topology = Topology.even(4, 2, 3);
        double[][] load = new double[1][8];
        load[0][5] = 1000;

        Placement target = Policy.named("plimsoll")
                .plan(request(load, Placement.initial(shape, topology), shape, topology))
                .target();

        assertThat(EvenSplit.balance(target, load, topology).mean()).isEqualTo(1);
    }
}
