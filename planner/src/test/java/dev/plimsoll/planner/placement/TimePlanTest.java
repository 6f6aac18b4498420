package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Plans by time of the policy {@code plimsoll}, with slots that may be idle and with such that may not. */
class TimePlanTest {
    private static final Map<DeviceProfile, Objective> OBJECTIVES = Map.of(
            RandomTimes.ROOFLINE, Objective.time(RandomTimes.ROOFLINE),
            RandomTimes.COMPUTING, Objective.time(RandomTimes.COMPUTING));
    private static final Policy POLICY = Policy.named("plimsoll");
    private static final int EXPERTS = 32;
    private static final ModelShape SHAPE = ModelShape.of("example", EXPERTS, 4, 0, 1);
    private static final Topology REDUNDANT = Topology.even(16, 1, 3);
    private static final long STEPS = 500;

    /** Three hot experts, each with a tenth of the load, and others of which the coldest have a tenth of the warmest's. */
    private static ExpertLoad window(long index, int tokensPerStep) {
        long[] load = new long[EXPERTS];
        double sum = 0;
        for (int expert = 0; expert < EXPERTS; expert++) {
            sum += weight(expert);
        }
        for (int expert = 0; expert < EXPERTS; expert++) {
            load[expert * 11 % EXPERTS] = Math.round(weight(expert) / sum * 4 * tokensPerStep * STEPS);
        }
        return ExpertLoad.of(index, new long[][] {load}).over(STEPS);
    }

    private static double weight(int expert) {
        return expert < 3 ? 23 : 1 + 9.0 * expert / EXPERTS;
    }

    private static List<ExpertLoad> windows(int... tokensPerStep) {
        List<ExpertLoad> windows = new ArrayList<>();
        for (int tokens : tokensPerStep) {
            windows.add(window(windows.size(), tokens));
        }
        return windows;
    }

    private static PlanRequest request(
            List<ExpertLoad> windows, Placement settled, DeviceProfile profile, boolean idle) {
        return PlanRequest.of(windows, settled, SHAPE, REDUNDANT)
                .withObjective(Objects.requireNonNull(OBJECTIVES.get(profile)), idle);
    }

    private static Placement plan(List<ExpertLoad> windows, DeviceProfile profile, boolean idle) {
        return POLICY.plan(request(windows, Placement.initial(SHAPE, REDUNDANT), profile, idle))
                .target();
    }

    private static double micros(Placement placement, ExpertLoad window, DeviceProfile profile) {
        return ExpertTime.stepMicros(placement, window.toDoubles(), STEPS, new ExpectedTime(profile), REDUNDANT);
    }

    private static int replicasInUse(Placement placement) {
        return (int)
                Arrays.stream(placement.inUse(0)).filter(expert -> expert >= 0).count();
    }

    @Test
    void fewTokensAreServedByOneReplicaOfEachExpert() {
        Placement idle = plan(windows(64, 64, 64), RandomTimes.ROOFLINE, true);

        assertThat(replicasInUse(idle)).isEqualTo(EXPERTS);
        assertThat(idle.idleSlots()).isEqualTo(16);
    }

    @Test
    void planSaysThatRedundancyOnlyCosts() {
        Placement initial = Placement.initial(SHAPE, REDUNDANT);
        for (boolean idle : new boolean[] {false, true}) {
            assertThat(POLICY.plan(request(windows(64, 64), initial, RandomTimes.ROOFLINE, idle))
                            .layers()
                            .get(0)
                            .stop())
                    .isEqualTo(Stop.REDUNDANCY);
            assertThat(POLICY.plan(request(windows(4096, 4096), initial, RandomTimes.ROOFLINE, idle))
                            .layers()
                            .get(0)
                            .stop())
                    .isNotEqualTo(Stop.REDUNDANCY);
        }
    }

    @Test
    void redundancyThatOneExpertNeedsDoesNotOnlyCost() {
        long[] load = new long[EXPERTS];
        Arrays.fill(load, 20 * STEPS);
        load[5] = 300 * STEPS;
        List<ExpertLoad> windows = List.of(ExpertLoad.of(0, new long[][] {load}).over(STEPS));

        Plan plan = POLICY.plan(request(windows, Placement.initial(SHAPE, REDUNDANT), RandomTimes.ROOFLINE, true));

        assertThat(plan.layers().get(0).stop()).isNotEqualTo(Stop.REDUNDANCY);
        assertThat(EvenSplit.replicas(plan.target().inUse(0), EXPERTS)[5]).isGreaterThan(2);
    }

    @Test
    void idleSlotsOfTheSettledPlacementAreKnownToBeIdle() {
        List<ExpertLoad> windows = windows(64, 64, 64);
        Plan first = POLICY.plan(request(windows, Placement.initial(SHAPE, REDUNDANT), RandomTimes.ROOFLINE, true));
        Plan second = POLICY.plan(request(windows, first.target().withVersion(1), RandomTimes.ROOFLINE, true));

        assertThat(second.layers().get(0).before())
                .isEqualTo(first.layers().get(0).predicted());
        assertThat(second.target()).isEqualTo(first.target().withVersion(1));
    }

    @Test
    void fewTokensTakeLessTimeThanByTokens() {
        List<ExpertLoad> windows = windows(64, 64, 64);
        Placement byTokens = POLICY.plan(PlanRequest.of(windows, Placement.initial(SHAPE, REDUNDANT), SHAPE, REDUNDANT))
                .target();
        Placement used = plan(windows, RandomTimes.ROOFLINE, false);
        Placement idle = plan(windows, RandomTimes.ROOFLINE, true);

        double tokens = micros(byTokens, windows.get(0), RandomTimes.ROOFLINE);
        assertThat(micros(used, windows.get(0), RandomTimes.ROOFLINE)).isLessThan(0.95 * tokens);
        assertThat(micros(idle, windows.get(0), RandomTimes.ROOFLINE)).isLessThan(0.75 * tokens);
    }

    @Test
    void redundantSlotsThatMustBeUsedGoToTheColdest() {
        Placement used = plan(windows(8, 8, 8), RandomTimes.ROOFLINE, false);
        double[] load = window(0, 8).layer(0);
        double[] sorted = load.clone();
        Arrays.sort(sorted);

        int[] replicas = EvenSplit.replicas(used.layer(0), EXPERTS);
        int ofCold = 0;
        for (int expert = 0; expert < EXPERTS; expert++) {
            ofCold += load[expert] <= sorted[EXPERTS / 2] ? replicas[expert] - 1 : 0;
        }
        assertThat(ofCold).isGreaterThanOrEqualTo(12);
    }

    @Test
    void manyTokensUseRedundancyAsByTokens() {
        List<ExpertLoad> windows = windows(4096, 4096, 4096);
        Placement byTokens = POLICY.plan(PlanRequest.of(windows, Placement.initial(SHAPE, REDUNDANT), SHAPE, REDUNDANT))
                .target();
        Placement used = plan(windows, RandomTimes.COMPUTING, false);

        assertThat(micros(used, windows.get(0), RandomTimes.COMPUTING))
                .isLessThan(1.01 * micros(byTokens, windows.get(0), RandomTimes.COMPUTING));
        assertThat(EvenSplit.balance(used, windows.get(0).toDoubles(), REDUNDANT)
                        .mean())
                .isGreaterThan(0.95);
    }

    @Test
    void tokensPerStepCountAndNotTokensPerWindow() {
        List<ExpertLoad> longer = List.of(window(0, 4096).over(64 * STEPS));

        assertThat(replicasInUse(plan(longer, RandomTimes.ROOFLINE, true))).isEqualTo(EXPERTS);
        assertThat(replicasInUse(plan(windows(4096), RandomTimes.ROOFLINE, true)))
                .isGreaterThan(EXPERTS);
    }

    @Test
    void followsBatchesThatShrinkAndGrow() {
        Placement large = plan(windows(4096, 4096, 4096, 4096), RandomTimes.ROOFLINE, true);
        PlanRequest shrunk =
                request(windows(4096, 4096, 4096, 4096, 64), large.withVersion(1), RandomTimes.ROOFLINE, true);
        Placement small = POLICY.plan(shrunk).target();
        PlanRequest grown = request(windows(64, 64, 64, 64, 4096), small.withVersion(2), RandomTimes.ROOFLINE, true);
        Placement again = POLICY.plan(grown).target();

        assertThat(small.idleSlots()).isGreaterThan(large.idleSlots() + 5);
        assertThat(again.idleSlots()).isLessThan(small.idleSlots());
        assertThat(micros(small, window(0, 64), RandomTimes.ROOFLINE))
                .isLessThan(0.85 * micros(large, window(0, 64), RandomTimes.ROOFLINE));
        assertThat(micros(again, window(0, 4096), RandomTimes.ROOFLINE))
                .isLessThan(0.95 * micros(small, window(0, 4096), RandomTimes.ROOFLINE));
    }

    @Test
    void slotsThatAreSwitchedOffKeepTheirWeights() {
        Placement large = plan(windows(4096, 4096, 4096, 4096), RandomTimes.ROOFLINE, false);
        Placement small = POLICY.plan(
                        request(windows(64, 64, 64, 64), large.withVersion(1), RandomTimes.ROOFLINE, true))
                .target();

        int moved = 0;
        for (int slot = 0; slot < REDUNDANT.slots(); slot++) {
            moved += small.layer(0)[slot] == large.layer(0)[slot] ? 0 : 1;
            if (small.idle(0, slot)) {
                assertThat(small.layer(0)[slot]).isEqualTo(large.layer(0)[slot]);
            }
        }
        assertThat(moved).isLessThan(REDUNDANT.slots() / 3);
        assertThat(small.idleSlots()).isGreaterThan(10);
    }

    @Test
    void whereNoSlotMayBeIdleAllAreTakenIntoUse() {
        Placement idle = plan(windows(64, 64, 64), RandomTimes.ROOFLINE, true).withVersion(1);
        PlanRequest byTime = request(windows(64, 64, 64), idle, RandomTimes.ROOFLINE, false);
        PlanRequest byTokens = byTime.withObjective(Objective.TOKENS, true);

        assertThat(POLICY.plan(byTime).target().idleSlots()).isZero();
        assertThat(POLICY.plan(byTokens).target().idleSlots()).isZero();
    }

    @Test
    void layerWithoutLoadStaysWithItsIdleSlots() {
        BitSet idle = new BitSet();
        idle.set(40);
        Placement settled = Placement.of(3, Placement.initial(SHAPE, REDUNDANT).toArray(), new BitSet[] {idle});
        List<ExpertLoad> none = List.of(ExpertLoad.none(0, 1, 1, EXPERTS));

        assertThat(POLICY.plan(request(none, settled, RandomTimes.ROOFLINE, true))
                        .target())
                .isEqualTo(settled);
    }

    @Test
    void plansOfAnyDeploymentAreValidKeepTheBudgetAndAreTheSameTwice() {
        int idleSlots = 0;
        for (long seed = 0; seed < 500; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            Random random = new Random(seed);
            Objective objective = new Objective.Time(RandomTimes.expected(random));
            boolean idle = random.nextInt(3) > 0;
            long steps = 1L << random.nextInt(12);
            Placement settled = given.start();
            for (int window = 0; window < given.windows().size(); window++) {
                List<ExpertLoad> seen = given.windows().subList(0, window + 1).stream()
                        .map(load -> load.over(steps))
                        .toList();
                PlanRequest request = new PlanRequest(
                        seen,
                        settled,
                        given.shape(),
                        given.topology(),
                        given.budget(),
                        given.prices(),
                        objective,
                        idle,
                        seed);
                Plan plan = POLICY.plan(request);
                String as = "seed " + seed + " window " + window;
                assertThat(PlanFaults.ofAny(POLICY, request, plan)).as(as).isEmpty();
                assertThat(PlanFaults.ofBudgetAndReasons(request, plan)).as(as).isEmpty();
                for (int layer = 0; layer < settled.layers(); layer++) {
                    assertThat(EvenSplit.replicas(
                                    plan.target().inUse(layer), given.shape().experts()))
                            .as(as)
                            .doesNotContain(0);
                    for (int slot = 0; slot < settled.slots(); slot++) {
                        if (plan.target().idle(layer, slot)) {
                            assertThat(plan.target().layer(layer)[slot]).as(as).isEqualTo(settled.layer(layer)[slot]);
                        }
                    }
                }
                assertThat(idle ? 0 : plan.target().idleSlots()).as(as).isZero();
                idleSlots += plan.target().idleSlots();
                settled = plan.target().withVersion(settled.version() + 1);
            }
        }
        assertThat(idleSlots).isGreaterThan(300);
    }
}
