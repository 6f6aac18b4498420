package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Topology;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * What holds for every plan of the policy {@code plimsoll}, on {@linkplain RandomInstance random instances}: a chain of plans
 * each, so that most start from a placement that a plan made.
 *
 * <p>More plans: {@code -Dplimsoll.plans=1000000}; from another seed: {@code -Dplimsoll.plans.first=SEED}.
 */
class PlacementPropertiesTest {
    private static final long PLANS = Long.getLong("plimsoll.plans", 20_000);
    private static final long FIRST = Long.getLong("plimsoll.plans.first", 0);
    private static final Policy POLICY = Policy.named("plimsoll");

    @Test
    void everyPlanIsValidKeepsSlotsAndBudgetSaysWhyAndIsTheSameTwice() {
        long start = System.nanoTime();
        long plans = 0;
        long moves = 0;
        long seed = FIRST;
        for (; plans < PLANS; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            Placement settled = given.start();
            for (int window = 0; window < given.windows().size(); window++) {
                PlanRequest request = given.request(window, settled);
                Plan plan = faultless(seed, window, request);
                settled = plan.target().withVersion(settled.version() + 1);
                moves += moves(request, plan);
                plans++;
            }
        }
        System.out.printf(
                Locale.ROOT,
                "plimsoll: %d plans with %d moves, seeds %d to %d, 0 faults, %.1f s%n",
                plans,
                moves,
                FIRST,
                seed - 1,
                (System.nanoTime() - start) / 1e9);
        assertThat(moves).isGreaterThan(plans);
    }

    static Plan faultless(long seed, int window, PlanRequest request) {
        Plan plan = POLICY.plan(request);
        assertFaultless(seed, window, PlanFaults.ofAny(POLICY, request, plan));
        assertFaultless(seed, window, PlanFaults.ofBudgetAndReasons(request, plan));
        return plan;
    }

    private static void assertFaultless(long seed, int window, List<String> faults) {
        // Formatting a description costs more than most plans do.
        if (!faults.isEmpty()) {
            assertThat(faults).as("plan of seed %d window %d", seed, window).isEmpty();
        }
    }

    private static int moves(PlanRequest request, Plan plan) {
        int moves = 0;
        for (int layer = 0; layer < plan.target().layers(); layer++) {
            moves += PlanFaults.changed(request, plan, layer).size();
        }
        return moves;
    }

    @Test
    void instancesReachTheCornersOfWhatIsClaimed() {
        assertThat(seedsWith(given -> given.shape().experts() == 1)).isGreaterThan(50);
        assertThat(seedsWith(given -> given.topology().ranks() == 1)).isGreaterThan(50);
        assertThat(seedsWith(given -> given.topology().slotsPerRank() == 1)).isGreaterThan(50);
        assertThat(seedsWith(given ->
                        given.topology().slotsPerRank() == given.shape().experts()))
                .isGreaterThan(50);
        assertThat(seedsWith(given -> given.topology().slots() == given.shape().experts()))
                .isGreaterThan(50);
        assertThat(seedsWith(given -> given.topology().slots() - given.shape().experts()
                        > given.topology().ranks()))
                .isGreaterThan(50);
        assertThat(seedsWith(given -> given.windows().size() > 4)).isGreaterThan(50);
        assertThat(seedsWith(given -> given.newest().samples() > 16)).isGreaterThan(10);
        assertThat(seedsWith(given -> given.newest().at(0, 0) > 1L << 49)).isGreaterThan(50);
        assertThat(seedsWith(given -> given.budget().moves() < 9)).isGreaterThan(50);
        assertThat(seedsWith(given -> given.budget().intoRank() < 4)).isGreaterThan(50);
        assertThat(seedsWith(given -> given.prices().otherNode() > 1
                        && given.topology().nodeOfRank().stream().distinct().count() > 2))
                .isGreaterThan(50);
        assertThat(seedsWith(given -> given.start().version() > 0)).isGreaterThan(50);
    }

    private interface Corner {
        boolean has(RandomInstance given);
    }

    private static int seedsWith(Corner corner) {
        int found = 0;
        for (long seed = 0; seed < 2000; seed++) {
            found += corner.has(RandomInstance.of(seed)) ? 1 : 0;
        }
        return found;
    }

    /**
     * A plan from where a plan led may still move a little, as moves are priced from there now, and another packing may be near
     * enough; but that ends. 2 in 1,000 plans are followed by a second one, and 2 of 50,000 by a third.
     */
    @Test
    void whatHasBeenPlannedIsKeptWhenNothingElseIsSeen() {
        int plans = 0;
        int followed = 0;
        for (long seed = 0; seed < 4000; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            if (!given.budget().equals(Budget.UNLIMITED)) {
                continue;
            }
            int newest = given.windows().size() - 1;
            Placement settled = next(given, newest, given.start());
            int more = 0;
            for (Placement next = next(given, newest, settled);
                    !next.withVersion(0).equals(settled.withVersion(0));
                    next = next(given, newest, settled)) {
                settled = next;
                assertThat(++more).as("seed %d: further plans that move", seed).isLessThan(3);
            }
            followed += more > 0 ? 1 : 0;
            plans++;
        }
        assertThat(plans).isGreaterThan(1000);
        assertThat(followed).isLessThan(plans / 200);
    }

    private static Placement next(RandomInstance given, int window, Placement settled) {
        return POLICY.plan(given.request(window, settled)).target().withVersion(settled.version() + 1);
    }

    @Test
    void everyPlanCanBeCutIntoBatchesThatTheRulesAccept() {
        int moved = 0;
        int batches = 0;
        int unfitting = 0;
        int overBudget = 0;
        for (long seed = 0; seed < 2000; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            Placement settled = given.start();
            for (int window = 0; window < given.windows().size(); window++) {
                PlanRequest request = given.request(window, settled);

                Candidate cut = BatchCutter.cut(request, POLICY.plan(request), given.stagedPerRank(), 1);

                unfitting += cut.unfitting().size();
                overBudget += cut.overBudget().size();
                if (!cut.batches().isEmpty()) {
                    Propose propose = propose(settled, cut);
                    assertThat(PlacementRules.violations(propose, settled, cut.target(), members(given)))
                            .as("seed %d window %d", seed, window)
                            .isEmpty();
                    moved += cut.moves();
                    batches += cut.batches().size();
                    settled = cut.target().withVersion(propose.epoch());
                }
            }
        }
        assertThat(moved).isGreaterThan(5000);
        assertThat(batches).isGreaterThan(1000);
        assertThat(unfitting).isGreaterThan(100);
        assertThat(overBudget).isGreaterThan(100);
    }

    private static Membership members(RandomInstance given) {
        return new Membership(
                new Deployment("random"),
                1,
                given.shape(),
                given.topology(),
                "test",
                Phase.ALL,
                GatherMode.HOST,
                1,
                1,
                1,
                given.stagedPerRank());
    }

    private static Propose propose(Placement settled, Candidate cut) {
        int epoch = settled.version() + 1;
        return new Propose(
                new PlanHeader(new Deployment("random"), 1, 1, 1),
                epoch,
                settled.version(),
                PlanHash.of(cut.target().withVersion(epoch), cut.batches()),
                cut.batches(),
                0,
                0,
                0,
                "plimsoll",
                "test");
    }

    @Test
    void zeroLoadMovesNothing() {
        LayerExample example = new LayerExample(8, Topology.even(4, 2, 3));

        assertThat(example.plan("plimsoll", new long[8])).isEqualTo(example.initial());
    }

    @Test
    void oneHotExpertIsReplicatedOnEveryRankThatHasRoom() {
        LayerExample example = new LayerExample(8, Topology.even(4, 2, 3));
        long[] load = new long[8];
        load[5] = 1000;

        assertThat(example.rankLoads(example.plan("plimsoll", load), load)).containsOnly(250.0);
    }
}
