package dev.plimsoll.app.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.control.Said;
import dev.plimsoll.planner.placement.Constraints.Pin;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What made-up topics tell of a deployment. */
class DeploymentStoryTest {
    private final MadeUpDeployment made = new MadeUpDeployment("demo/decode-0");

    @Test
    void deploymentThatNoPlannerHasTakenOverIsUnplanned() {
        assertThat(made.story().stage()).isEqualTo(DeploymentStage.UNPLANNED);
        assertThat(made.story().version()).isEmpty();

        made.takenOver();

        assertThat(made.story().stage()).isEqualTo(DeploymentStage.IDLE);
        assertThat(made.story().version()).hasValue(0);

        made.restarted(GatherMode.HOST);

        assertThat(made.story().stage()).isEqualTo(DeploymentStage.UNPLANNED);
        assertThat(made.story().why()).contains("incarnation 2");
    }

    @Test
    void decisionIsFollowedFromProposalToSettlement() {
        made.takenOver();
        int epoch = made.propose(4);
        assertThat(stage()).isEqualTo(DeploymentStage.PROPOSED);
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 1);
        assertThat(made.story().why()).isEqualTo("decision 1: 1 of 2 ranks have accepted");

        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0).permit(epoch).ack(epoch, RankAck.Kind.FLIPPED, 1, 0);
        assertThat(stage()).isEqualTo(DeploymentStage.RUNNING);
        assertThat(made.story().why()).isEqualTo("decision 1: 0 of 2 batches flipped by all ranks");
        assertThat(made.story().ranksOff()).extracting(RankOff::rank).containsExactly(new RankId(1));

        made.ack(epoch, RankAck.Kind.FLIPPED, 1, 1)
                .ack(epoch, RankAck.Kind.FLIPPED, 2, 0, 1)
                .settle(epoch, 2, 5);

        assertThat(stage()).isEqualTo(DeploymentStage.IDLE);
        assertThat(made.story().version()).hasValue(1);
        assertThat(made.story().ranksOff()).isEmpty();
        DecisionStory decision = decision(epoch);
        assertThat(decision.state()).isEqualTo(DecisionState.SETTLED);
        assertThat(decision.took()).hasValue(Duration.ofSeconds(8));
        assertThat(decision.askedBy()).isEqualTo("the planner");
    }

    @Test
    void stoppedDecisionEndsInWhatWasFlippedOfIt() {
        made.takenOver();
        int epoch = made.propose(4);
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0, 1).permit(epoch).ack(epoch, RankAck.Kind.FLIPPED, 1, 0, 1);
        made.abort(epoch, "no flip in time").ack(epoch, RankAck.Kind.ABORTED, 1, 0);
        assertThat(stage()).isEqualTo(DeploymentStage.ABORTING);
        assertThat(made.story().why()).contains("no flip in time").contains("1 of 2 ranks have said how far");

        made.ack(epoch, RankAck.Kind.ABORTED, 1, 1).settle(epoch, 1, 5);

        assertThat(decision(epoch).state()).isEqualTo(DecisionState.SETTLED_PREFIX);
        assertThat(decision(epoch).why()).hasValue("no flip in time");
        assertThat(made.story().ranksOff()).isEmpty();

        int next = made.propose(9);
        made.refuse(next, 1, Refusal.NO_MEMORY).abort(next, "rank 1 has no memory");
        made.ack(next, RankAck.Kind.ABORTED, 0, 0, 1).voided(next, "rank 1 has no memory", 9);

        assertThat(decision(next).state()).isEqualTo(DecisionState.VOID);
        assertThat(made.story().version()).hasValue(1);
    }

    @Test
    void decisionThatNeedsApprovalWaitsUntilThePlannerHasTakenIt() {
        made.takenOver();
        int epoch = made.propose(new Origin(true, Optional.empty()), 4, "plimsoll");
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0, 1);
        assertThat(stage()).isEqualTo(DeploymentStage.WAITING_FOR_APPROVAL);

        String id = made.ask(new ControlAction.Approve(epoch));
        assertThat(stage()).as("asked for and not answered").isEqualTo(DeploymentStage.WAITING_FOR_APPROVAL);
        assertThat(made.story().unanswered()).extracting(Request::id).containsExactly(id);

        made.answer(id, Verdict.DONE, OptionalInt.of(epoch));
        assertThat(stage()).isEqualTo(DeploymentStage.PROPOSED);
        assertThat(decision(epoch).approval()).isPresent();
        made.permit(epoch);
        assertThat(stage()).isEqualTo(DeploymentStage.RUNNING);
    }

    @Test
    void ranksThatDisagreeAreAQuarantineAndNextLifeEndsIt() {
        made.takenOver();
        int epoch = made.propose(4);
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0, 1).permit(epoch).ack(epoch, RankAck.Kind.FLIPPED, 1, 0);
        made.abort(epoch, "operator: stop").ack(epoch, RankAck.Kind.ABORTED, 1, 0);
        assertThat(stage()).isEqualTo(DeploymentStage.ABORTING);

        made.ack(epoch, RankAck.Kind.ABORTED, 0, 1);

        assertThat(stage()).isEqualTo(DeploymentStage.QUARANTINED);
        assertThat(made.story().why()).contains("ranks disagree about decision 1");

        made.restarted(GatherMode.HOST);
        made.voided(epoch, "incarnation 2 began", 4).takenOver();
        assertThat(stage()).isEqualTo(DeploymentStage.IDLE);
    }

    @Test
    void settlementThatTheLogDoesNotKnowIsAQuarantineAsItIsForAPlanner() {
        made.takenOver();
        made.decided(4);
        made.plan.removeIf(record -> record.value() instanceof dev.plimsoll.model.PlanCommand.Settled);

        assertThat(stage()).isEqualTo(DeploymentStage.QUARANTINED);
        assertThat(made.story().why()).contains("is not the one that the plan log ends with");
    }

    @Test
    void ranksThatCannotVoteAreOnlyObserved() {
        made.takenOver();
        int epoch = made.propose(4);
        made.refuse(epoch, 0, Refusal.OBSERVE_ONLY);
        String said = made.acks.get(0).value().summary();
        made.abort(epoch, said).ack(epoch, RankAck.Kind.ABORTED, 0, 0, 1).voided(epoch, said, 5);
        assertThat(stage()).isEqualTo(DeploymentStage.OBSERVE_ONLY);
        assertThat(made.story().why()).startsWith("rank 0 REFUSED 1: OBSERVE_ONLY");

        made.restarted(GatherMode.NONE).takenOver();
        assertThat(stage()).isEqualTo(DeploymentStage.OBSERVE_ONLY);
        assertThat(made.story().why()).contains("gather mode none");
    }

    @Test
    void ranksThatAreLostOrBehindAreOffUntilTheyFlipAgain() {
        made.takenOver();
        int first = made.decided(4);
        made.acks.removeIf(ack -> ack.value().rank().index() == 1 && ack.value().batch() == 2);
        assertThat(made.story().ranksOff()).hasSize(1).first().satisfies(off -> {
            assertThat(off.rank()).isEqualTo(new RankId(1));
            assertThat(off.why()).contains("has flipped 1 of the 2 batches of decision " + first);
        });

        int next = made.propose(8);
        made.refuse(next, 0, Refusal.DEAF).abort(next, "deaf").voided(next, "deaf", 8);
        assertThat(made.story().ranksOff()).extracting(RankOff::rank).containsExactly(new RankId(0), new RankId(1));

        int third = made.decided(12);
        assertThat(made.story().version()).hasValue(third);
        assertThat(made.story().ranksOff()).isEmpty();
    }

    @Test
    void acksThatHaveExpiredAccuseNobody() {
        made.takenOver();
        made.decided(4);
        made.acks.clear();

        assertThat(made.story().ranksOff()).isEmpty();
    }

    @Test
    void ordersHoldOverIncarnationsWhenThePlannerHasTakenThem() {
        ControlAction.Pin pin = new ControlAction.Pin(new LayerId(1), new ExpertId(2), new RankId(0));
        made.takenOver().done(new ControlAction.Pause(), pin, new ControlAction.Drain(new RankId(1)));
        made.answer(made.ask(new ControlAction.Drain(new RankId(0))), Verdict.REFUSED, OptionalInt.empty());
        made.answer(made.ask(new ControlAction.Resume()), Verdict.STALE, OptionalInt.empty());
        made.ask(new ControlAction.Unpin(pin.layer(), pin.expert(), pin.rank()));
        made.restarted(GatherMode.HOST).takenOver();

        ControlState orders = made.story().orders();

        assertThat(orders.paused().map(Said::reason)).hasValue("INC-0");
        assertThat(orders.pins()).containsOnlyKeys(new Pin(pin.layer(), pin.expert(), pin.rank()));
        assertThat(orders.drained()).containsOnlyKeys(new RankId(1));
    }

    @Test
    void whoAskedForADecisionIsFoundByTheCommandThatItNames() {
        made.takenOver();
        made.decided(4);
        String id = made.ask(new ControlAction.Rollback(0));
        int epoch = made.propose(new Origin(false, Optional.of(id)), 6, "rollback");
        made.answer(id, Verdict.DONE, OptionalInt.of(epoch));

        assertThat(decision(epoch).askedBy()).isEqualTo("ada (INC-0)");

        made.control.clear();
        assertThat(decision(epoch).askedBy()).contains(id).contains("not in the topics any more");
    }

    @Test
    void everyPlacementOfTheIncarnationIsToldFromItsDecisions() {
        made.takenOver();
        int first = made.decided(4);
        int second = made.decided(8);

        assertThat(made.story().placements())
                .containsOnlyKeys(0, first, second)
                .containsEntry(first, made.placement(first))
                .containsEntry(second, made.placement(second));
    }

    private DeploymentStage stage() {
        return made.story().stage();
    }

    private DecisionStory decision(int epoch) {
        return java.util.Objects.requireNonNull(made.story().decisions().get(epoch));
    }
}
