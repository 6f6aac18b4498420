package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlannerTaskTest extends PlannerTaskFixture {
    @Test
    void firstActOfAReignIsTermAndVersionZeroOfEveryLayer() {
        assertThat(log()).containsExactly("Term");
        assertThat(partition.values(Topic.PLACEMENTS))
                .extracting(record -> record.version() + "/" + record.layer())
                .containsExactly("0/0", "0/1");
    }

    @Test
    void flipsWhileThePlannerWasDeadCountAfterItsSuccessorTookOver() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        ack(RankAck.Kind.FLIPPED, decision().batches().size(), 0, 1, 2, 3);
        partition.now += 3_600_000;

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Term", "Settled");
        assertThat(partition.values(Topic.PLAN).get(3).header().term()).isEqualTo(2);
    }

    @Test
    void costOfADecisionIsInTimesOfWindowsWhateverJumpsAreBetween() {
        // Measured in windows of a second, half a window; in a second spread over 2^46 windows, hundreds.
        restart(Policy.named("plimsoll"), flipsTake(Duration.ofMillis(250)));
        window(0, true, PlacementState.settled(0));
        window(FAR, true, PlacementState.settled(0));

        assertThat(log()).endsWith("Propose");
    }

    private static PlannerSettings flipsTake(Duration time) {
        PlannerSettings usual = PlannerSettings.DEFAULTS;
        Gate.Settings gate = usual.gate();
        return new PlannerSettings(
                usual.policy(),
                usual.historyWindows(),
                usual.cooldownWindows(),
                usual.budget(),
                usual.prices(),
                new Gate.Settings(
                        gate.minimumGain(),
                        gate.minimumHeldOutGain(),
                        gate.horizonWindows(),
                        gate.expertTimeShare(),
                        gate.linkBytesPerSecond(),
                        time),
                usual.acceptWithin(),
                usual.progressWithin(),
                usual.abortWithin(),
                usual.lookBack(),
                usual.planThreads(),
                usual.planWithin(),
                usual.seed());
    }

    @Test
    void budgetOfBytesBoundsTheMovesThatAPolicyMayWant() {
        restart(Policy.named("plimsoll"), bytes(2 * BYTES_PER_EXPERT));
        proposed();

        assertThat(decision().moves()).hasSize(2);
    }

    @Test
    void budgetBelowTheBytesOfOneExpertIsSaidAndMovesNothing() {
        restart(Policy.named("plimsoll"), bytes(BYTES_PER_EXPERT - 1));
        proposed();

        assertThat(refused).endsWith(KeepReason.BUDGET);
    }

    private static PlannerSettings bytes(long bytes) {
        return PlannerSettings.DEFAULTS.within(
                new Budget(Integer.MAX_VALUE, bytes, Integer.MAX_VALUE, Integer.MAX_VALUE),
                PlannerSettings.DEFAULTS.prices());
    }

    @Test
    void newIncarnationVoidsTheDecisionAndBeginsAtVersionZeroWithAHigherEpoch() {
        proposed();
        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        for (long index = 0; index < 2; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }

        assertThat(log()).containsExactly("Term", "Propose", "Void", "Propose");
        assertThat(decision().epoch()).isEqualTo(2);
        assertThat(decision().basedOn()).isEqualTo(0);
        assertThat(decision().header().incarnation()).isEqualTo(2);
    }

    @Test
    void takeOverWithMembersOfSeveralIncarnationsGoesOnWithTheNewest() {
        proposed();
        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        for (long index = 0; index < 2; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }

        restart(Policy.named("plimsoll"));
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Void", "Propose", "Term");
        assertThat(partition.values(Topic.PLACEMENTS)).hasSize(4);
    }

    /** The layers that plimsoll moves, with a made-up reason each. */
    private static Policy explaining(int gainsToo) {
        return new Policy() {
            @Override
            public String name() {
                return "explaining";
            }

            @Override
            public LayerPlan plan(PlanRequest request, int layer) {
                int[] before = request.settled().layer(layer);
                int[] after = Policy.named("plimsoll").plan(request, layer).expertOfSlot();
                List<LayerReason.Gain> gains = new ArrayList<>();
                for (int slot = 0; slot < after.length; slot++) {
                    if (before[slot] != after[slot]) {
                        gains.add(new LayerReason.Gain(slot + gainsToo, 0.125 * (slot + 1)));
                    }
                }
                return new LayerPlan(
                        after, Optional.of(new LayerReason(0.5, 0.75, 1, gains, LayerReason.Stop.PRICE, 0.001)));
            }
        };
    }

    @Test
    void proposalSaysNothingOfReasonsWhereThePolicyDoesNot() {
        restart(Policy.named("deepseek"));
        proposed();

        assertThat(decision().reasons()).isEqualTo(PlanReasons.NONE);
    }

    @Test
    void proposalSaysWhyEveryMoveIsMadeWhereThePolicyDoes() throws Exception {
        restart(explaining(0));
        proposed();

        Propose decision = decision();
        assertThat(decision.policy()).isEqualTo("explaining");
        assertThat(decision.reasons().moved().keySet()).containsExactly(0, 1);
        decision.reasons()
                .moved()
                .forEach((layer, reason) -> assertThat(reason.gains())
                        .isEqualTo(decision.moves().stream()
                                .filter(move -> move.layer().index() == layer)
                                .map(move -> new LayerReason.Gain(
                                        move.slot().index(),
                                        0.125 * (move.slot().index() + 1)))
                                .toList()));
        assertThat(Topic.PLAN.decode(Topic.PLAN.encode(decision))).isEqualTo(decision);
    }

    @Test
    void policyThatSpeaksOfOtherMovesThanItMakesHasFailed() {
        restart(explaining(1));
        proposed();

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.ERROR);
    }

    @Test
    void policyThatFailsIsCountedAndTheLoopGoesOn() {
        restart(new Policy() {
            @Override
            public String name() {
                return "broken";
            }

            @Override
            public LayerPlan plan(PlanRequest request, int layer) {
                throw new IllegalStateException("broken on purpose");
            }
        });
        proposed();

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.ERROR);
        assertThat(partition.values(Topic.PLAN)).allMatch(PlanCommand.Term.class::isInstance);
    }
}
