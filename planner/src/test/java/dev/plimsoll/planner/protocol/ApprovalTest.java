package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A decision that a person has to approve. */
class ApprovalTest {
    private static final Membership MEMBERS = SmallDeployment.members(1);
    private static final Move MOVE = new Move(new LayerId(0), new SlotId(5), new ExpertId(1), new SlotId(1));

    private final DecisionProtocol protocol =
            new DecisionProtocol(new Patience(100, 100, 150).withApproval(1_000), "planner");
    private final List<PlanCommand> log = new ArrayList<>();
    private final TreeMap<Integer, SettledPlacement> kept = new TreeMap<>();
    private PlannerState state = takeOver(epoch -> false);

    private PlannerState takeOver(java.util.function.IntPredicate approved) {
        return take(protocol.takeOver(PlanLog.of(log), List.copyOf(kept.values()), MEMBERS, approved, at(0)));
    }

    private static Moment at(long millis) {
        return new Moment(millis, millis, false);
    }

    private PlannerState take(Transition transition) {
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                log.add(write.command());
            } else if (effect instanceof Effect.Settle settle) {
                kept.put(settle.placement().layer(), settle.placement());
            }
        }
        state = transition.state();
        return state;
    }

    private void apply(Event event, long millis) {
        take(protocol.apply(state, event, at(millis)));
    }

    private void propose() {
        apply(
                new Event.Offer(
                        0,
                        List.of(new Batch(1, List.of(MOVE))),
                        1,
                        0.5,
                        0.9,
                        "test",
                        "it pays",
                        PlanReasons.NONE,
                        Optional.empty(),
                        Optional.empty(),
                        new Origin(true, Optional.empty())),
                0);
    }

    private void accept(int... ranks) {
        Propose decision = (Propose) log.get(1);
        for (int rank : ranks) {
            apply(
                    new Event.Acked(new RankAck(
                            MEMBERS.deployment(),
                            1,
                            new RankId(rank),
                            1,
                            RankAck.Kind.ACCEPTED,
                            0,
                            Optional.empty(),
                            decision.planHash(),
                            7)),
                    0);
        }
    }

    private List<String> written() {
        return log.stream().map(command -> command.getClass().getSimpleName()).toList();
    }

    @Test
    void decisionThatAllRanksAcceptWaitsForAPersonAndForNoRank() {
        propose();
        accept(0, 1, 2);
        apply(new Event.TimePassed(), 999);
        assertThat(written()).containsExactly("Term", "Propose");

        apply(new Event.Approved(1), 999);
        assertThat(written()).containsExactly("Term", "Propose", "Permit");
        assertThat(state.stage()).isInstanceOf(Stage.Running.class);
    }

    @Test
    void approvalMayComeBeforeTheLastRankAccepts() {
        propose();
        accept(0, 1);
        apply(new Event.Approved(1), 10);
        assertThat(written()).containsExactly("Term", "Propose");

        accept(2);
        assertThat(written()).containsExactly("Term", "Propose", "Permit");
    }

    @Test
    void ranksThatDoNotAcceptAreLateWhateverThePersonDoes() {
        propose();
        accept(0, 1);
        apply(new Event.TimePassed(), 100);
        assertThat(log.get(2).summary()).contains("2 of 3 ranks accepted in time");
    }

    @Test
    void rejectedDecisionIsAborted() {
        propose();
        accept(0, 1, 2);
        apply(new Event.Rejected(1, "bob: not now"), 10);
        assertThat(log.get(2).summary()).isEqualTo("ABORT 1: rejected: bob: not now");
    }

    @Test
    void decisionThatNobodyApprovesInTimeIsAborted() {
        propose();
        accept(0, 1, 2);
        apply(new Event.TimePassed(), 1_000);
        assertThat(log.get(2).summary()).isEqualTo("ABORT 1: nobody approved it in time");
    }

    @Test
    void engineThatStandsStillGivesNobodyMoreTime() {
        propose();
        accept(0, 1, 2);
        take(protocol.apply(state, new Event.TimePassed(), new Moment(1_000, 0, false)));
        assertThat(state.stage()).isInstanceOf(Stage.Aborting.class);
    }

    @Test
    void wordOnAnotherDecisionOrASecondOneChangesNothing() {
        propose();
        accept(0, 1, 2);
        PlannerState waits = state;
        apply(new Event.Approved(2), 10);
        apply(new Event.Rejected(2, "bob: no"), 10);
        assertThat(state).isEqualTo(waits);

        apply(new Event.Approved(1), 10);
        apply(new Event.Approved(1), 11);
        apply(new Event.Rejected(1, "bob: no"), 11);
        assertThat(written()).containsExactly("Term", "Propose", "Permit");
    }

    @Test
    void successorGoesOnWaitingWithATimeOfItsOwn() {
        propose();
        takeOver(epoch -> false);
        accept(0, 1, 2);
        assertThat(written()).containsExactly("Term", "Propose", "Term");

        apply(new Event.TimePassed(), 999);
        assertThat(written()).containsExactly("Term", "Propose", "Term");
        apply(new Event.TimePassed(), 1_000);
        assertThat(written()).containsExactly("Term", "Propose", "Term", "Abort");
    }

    @Test
    void successorKnowsWhatWasApproved() {
        propose();
        apply(new Event.Approved(1), 10);
        takeOver(epoch -> epoch == 1);
        accept(0, 1, 2);
        assertThat(written()).containsExactly("Term", "Propose", "Term", "Permit");
    }

    @Test
    void decisionThatWasNeverPermittedIsVoidWhoeverHasHeardOfItsAbort() {
        propose();
        accept(0, 1, 2);
        apply(new Event.Rejected(1, "bob: no"), 10);
        assertThat(state.stage()).isInstanceOf(Stage.Aborting.class);

        apply(new Event.OperatorVoid(Sight.NONE, "bob: the workers are gone"), 20);
        assertThat(log.get(3).summary())
                .isEqualTo(
                        "VOID 1: operator: bob: the workers are gone; it was never permitted, so that no rank can have"
                                + " flipped any of it");
        assertThat(state.stage()).isInstanceOf(Stage.Idle.class);
    }
}
