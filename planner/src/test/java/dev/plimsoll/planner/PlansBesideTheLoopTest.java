package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

class PlansBesideTheLoopTest extends PlannerTaskFixture {
    private static final Deployment OTHER = new Deployment("r1/prefill-0");

    private final HandDesk hand = new HandDesk();

    private void byHand() {
        desk = hand;
        restart(Policy.named("plimsoll"));
    }

    @Test
    void policyThatBlocksHoldsUpNoAcksOfAnotherDeployment() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(1);
        Semaphore made = new Semaphore(0);
        Scheduler plans = Schedulers.newBoundedElastic(1, 16, "plans", 60, true);
        try {
            PlanDesk real =
                    new BackgroundPlans(plans, Schedulers.parallel(), Duration.ofHours(1), PlannerListener.NONE);
            desk = (plan, done) -> real.begin(plan, result -> {
                done.accept(result);
                made.release();
            });
            restart(new Policy() {
                @Override
                public String name() {
                    return "plimsoll until it blocks";
                }

                @Override
                public LayerPlan plan(PlanRequest request, int layer) {
                    if (request.settled().layers() > LAYERS) {
                        blocked.countDown();
                        try {
                            never.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                    return Policy.named("plimsoll").plan(request, layer);
                }
            });
            window(0, true, PlacementState.settled(0));
            awaitOne(made);
            window(1, true, PlacementState.settled(0));
            awaitOne(made);
            partition.poll(true);
            assertThat(log()).endsWith("Term", "Propose");

            deployment = OTHER;
            layers = LAYERS + 1;
            partition.append(Topic.MEMBERS, members(1));
            partition.poll(true);
            window(0, true, PlacementState.settled(0));
            awaitOne(made);
            window(1, true, PlacementState.settled(0));
            assertThat(blocked.await(60, TimeUnit.SECONDS)).isTrue();
            assertThat(log()).containsExactly("Term");

            deployment = DEPLOYMENT;
            layers = LAYERS;
            settle();
            assertThat(log()).endsWith("Term", "Propose", "Permit", "Settled");

            deployment = OTHER;
            never.countDown();
            awaitOne(made);
            partition.poll(true);
            assertThat(log()).containsExactly("Term", "Propose");
        } finally {
            never.countDown();
            plans.dispose();
        }
    }

    private static void awaitOne(Semaphore made) throws InterruptedException {
        assertThat(made.tryAcquire(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void windowsThatComeWhileAPlanIsMadeWaitForIt() {
        byHand();
        window(0, true, PlacementState.settled(0));
        hand.newest().make();
        window(1, true, PlacementState.settled(0));
        hand.newest().begin();
        window(2, true, PlacementState.settled(0));
        window(3, true, PlacementState.settled(0));
        assertThat(hand.asked).hasSize(2);
        assertThat(partition.note()).isEqualTo("looks back to 0 in windows");

        hand.newest().make();
        partition.poll(true);

        assertThat(decision().windowIndex()).isEqualTo(1);
        assertThat(decision().inputs().orElseThrow().windows()).isEqualTo(2);
        assertThat(decision().inputs().orElseThrow().unjudged()).isEmpty();
        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.IN_FLIGHT);
        assertThat(hand.asked).hasSize(2);
        assertThat(plansDropped).isEmpty();
    }

    @Test
    void newerWindowTakesThePlaceOfOneWhosePlanIsNotBegun() {
        byHand();
        window(0, true, PlacementState.settled(0));
        hand.newest().make();
        window(1, true, PlacementState.settled(0));
        HandDesk.Asked first = hand.newest();
        window(2, true, PlacementState.settled(0));

        assertThat(first.withdrawn).isTrue();
        assertThat(plansDropped).containsExactly(PlanDrop.SUPERSEDED);
        hand.newest().make();
        partition.poll(true);
        assertThat(decision().windowIndex()).isEqualTo(2);
        assertThat(decision().inputs().orElseThrow().unjudged())
                .as("whoever verifies the log knows that nothing was decided on it")
                .containsExactly(1L);
    }

    @Test
    void planForAnIncarnationThatIsOverIsCancelledAndItsResultIsDropped() {
        byHand();
        window(0, true, PlacementState.settled(0));
        hand.newest().make();
        window(1, true, PlacementState.settled(0));
        HandDesk.Asked plan = hand.newest();
        plan.begin();
        window(2, true, PlacementState.settled(0));

        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        assertThat(plan.cancelled).isTrue();
        assertThat(plansDropped).containsExactly(PlanDrop.STALE);
        plan.make();
        partition.poll(true);

        assertThat(log()).doesNotContain("Propose");
        assertThat(hand.asked)
                .as("windows that waited belong to the one before")
                .hasSize(2);
    }

    @Test
    void planOfALostPartitionIsCancelled() {
        byHand();
        window(0, true, PlacementState.settled(0));
        HandDesk.Asked plan = hand.newest();
        plan.begin();
        partition.fence();
        window(1, true, PlacementState.settled(0));

        assertThat(plan.cancelled).isTrue();
    }

    @Test
    void windowThatWaitedForAPlanThatKeepsThePlacementIsMeasuredAndPlannedFrom() {
        byHand();
        window(0, true, PlacementState.settled(0));
        hand.newest().make();
        window(1, true, PlacementState.settled(0));
        hand.newest().make();
        partition.poll(true);
        settle();
        window(2, true, PlacementState.settled(1));
        window(3, true, PlacementState.settled(1));
        hand.newest().begin();
        window(4, true, PlacementState.settled(1));
        window(5, true, PlacementState.settled(1));
        int asked = hand.asked.size();
        assertThat(partition.values(Topic.OUTCOMES))
                .extracting(Outcome::windowIndex)
                .containsExactly(2L);
        hand.newest().make();
        partition.poll(true);

        assertThat(refused).endsWith(KeepReason.BALANCED);
        assertThat(hand.asked).hasSize(asked + 1);
        hand.newest().make();
        partition.poll(true);
        assertThat(refused).endsWith(KeepReason.BALANCED, KeepReason.BALANCED);
    }

    @Test
    void planThatHoldsUpMoreWindowsThanASuccessorCouldPutTogetherIsGivenUp() {
        byHand();
        window(0, true, PlacementState.settled(0));
        HandDesk.Asked stuck = hand.newest();
        stuck.begin();
        for (long index = 1; index <= WindowJoin.MOST_OPEN; index++) {
            window(index, true, PlacementState.settled(0));
        }
        assertThat(stuck.cancelled).isFalse();
        window(WindowJoin.MOST_OPEN + 1, true, PlacementState.settled(0));

        assertThat(stuck.cancelled).isTrue();
        assertThat(plansDropped).containsExactly(PlanDrop.SUPERSEDED);
        assertThat(hand.asked).hasSize(2);
    }

    @Test
    void planThatDoesNotComeInTimeIsGivenUpAndTheNextSaysSo() {
        byHand();
        window(0, true, PlacementState.settled(0));
        hand.newest().make();
        window(1, true, PlacementState.settled(0));
        hand.newest().timeOut();
        partition.poll(true);
        window(2, true, PlacementState.settled(0));
        hand.newest().make();
        partition.poll(true);

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.TIMEOUT);
        assertThat(decision().inputs().orElseThrow().unjudged()).containsExactly(1L);
    }
}
