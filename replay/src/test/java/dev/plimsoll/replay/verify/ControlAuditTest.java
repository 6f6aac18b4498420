package dev.plimsoll.replay.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.replay.source.PastDecision;
import dev.plimsoll.replay.source.PastPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Two ranks with three slots each and four experts; what people ask, and what is decided, by hand. */
class ControlAuditTest {
    private static final Membership MEMBERS = new Membership(
            new Deployment("by-hand"),
            7,
            ModelShape.of("by-hand", 4, 1, 0, 1),
            Topology.even(2, 1, 3),
            "test",
            Phase.ALL,
            GatherMode.HOST,
            1,
            1,
            1,
            4);
    private static final ControlAction PIN = new ControlAction.Pin(new LayerId(0), new ExpertId(3), new RankId(0));
    private static final ControlAction UNPIN = new ControlAction.Unpin(new LayerId(0), new ExpertId(3), new RankId(0));

    private final List<Dated<ControlRecord>> control = new ArrayList<>();
    private final List<Dated<PlanCommand>> plan = new ArrayList<>();
    private Placement settled = MEMBERS.start();
    private long millis = 1_000_000;
    private long number;
    private int epoch;

    private String asked(ControlAction action) {
        String id = "id-" + control.size();
        add(new Control(MEMBERS.deployment(), id, millis, "ann", "for the test", OptionalInt.empty(), action));
        return id;
    }

    private void answered(String id, ControlAnswer.Verdict verdict, OptionalInt of) {
        add(new ControlAnswer(MEMBERS.deployment(), 7, id, verdict, "so it is", of, settled.version()));
    }

    private void done(ControlAction action) {
        answered(asked(action), ControlAnswer.Verdict.DONE, OptionalInt.empty());
    }

    private void add(ControlRecord record) {
        control.add(new Dated<>(record, control.size(), millis));
    }

    private PlanHeader header() {
        number++;
        return new PlanHeader(MEMBERS.deployment(), 7, 1, number);
    }

    private void write(PlanCommand command) {
        millis += 1_000;
        plan.add(new Dated<>(command, plan.size(), millis));
    }

    /** Gives a slot another expert. */
    private Propose proposed(int slot, int expert, String policy, String reason, Origin origin) {
        epoch++;
        int source = settled.slotsOfExperts(0, 4)[expert][0];
        Batch batch = new Batch(
                1, List.of(new Move(new LayerId(0), new SlotId(slot), new ExpertId(expert), new SlotId(source))));
        Propose propose = new Propose(
                header(),
                epoch,
                settled.version(),
                9,
                List.of(batch),
                epoch,
                0.5,
                0.9,
                policy,
                reason,
                PlanReasons.NONE,
                Optional.empty(),
                Optional.empty(),
                origin);
        write(propose);
        return propose;
    }

    private Propose proposed(int slot, int expert) {
        return proposed(slot, expert, "plimsoll", "it pays", Origin.PLANNER);
    }

    private void settles(Propose propose) {
        write(new PlanCommand.Permit(header(), propose.epoch(), propose.planHash()));
        settled = PlanLog.after(propose, 1, settled, propose.epoch());
        write(new PlanCommand.Settled(header(), propose.epoch(), 1, true, settled.hash()));
    }

    private List<String> faults() {
        return faults(control, false);
    }

    private List<String> faults(List<Dated<ControlRecord>> records, boolean lostItsBeginning) {
        PastPlan past = new PastPlan(MEMBERS, MadeUpRun.supplier(plan), Optional.empty());
        past.advanceToEnd();
        ControlAudit audit = new ControlAudit(MEMBERS, records, lostItsBeginning);
        for (PastDecision decision : past.takeTold()) {
            audit.decision(decision);
        }
        return audit.faults(false);
    }

    @Test
    void whatIsAskedAndDoneInOrderHasNoFault() {
        done(new ControlAction.Pause());
        done(new ControlAction.Resume());
        Propose first = proposed(5, 3, "plimsoll", "it pays", new Origin(true, Optional.empty()));
        answered(asked(new ControlAction.Approve(1)), ControlAnswer.Verdict.DONE, OptionalInt.of(1));
        settles(first);
        String back = asked(new ControlAction.Rollback(0));
        Propose second = proposed(5, 1, "rollback", "back to v0", new Origin(false, Optional.of(back)));
        answered(back, ControlAnswer.Verdict.DONE, OptionalInt.of(2));
        settles(second);

        assertThat(faults()).isEmpty();
    }

    @Test
    void commandThatIsAnsweredTwiceIsAFault() {
        String id = asked(new ControlAction.Pause());
        answered(id, ControlAnswer.Verdict.DONE, OptionalInt.empty());
        answered(id, ControlAnswer.Verdict.REFUSED, OptionalInt.empty());

        assertThat(faults()).singleElement().asString().startsWith("command id-0 is answered more than once, again at");
    }

    @Test
    void answerAboutADecisionThatThereIsNotIsAFaultAndOfAnotherIncarnationNone() {
        answered(asked(new ControlAction.Abort(4)), ControlAnswer.Verdict.DONE, OptionalInt.of(4));
        add(new ControlAnswer(
                MEMBERS.deployment(),
                6,
                asked(new ControlAction.Abort(3)),
                ControlAnswer.Verdict.DONE,
                "it stops",
                OptionalInt.of(3),
                0));

        assertThat(faults())
                .containsExactly("command id-0 is answered with decision 4, which the plan log does not have");
    }

    @Test
    void leaveToMoveWithoutTheApprovalThatWasNeededIsAFault() {
        settles(proposed(5, 3, "plimsoll", "it pays", new Origin(true, Optional.empty())));

        assertThat(faults()).containsExactly("decision 1 needed approval, and ranks had leave to move without any");
    }

    @Test
    void approvalThatComesBehindIsAFault() {
        settles(proposed(5, 3, "plimsoll", "it pays", new Origin(true, Optional.empty())));
        answered(asked(new ControlAction.Approve(1)), ControlAnswer.Verdict.DONE, OptionalInt.of(1));

        assertThat(faults())
                .singleElement()
                .asString()
                .startsWith("decision 1 needed approval, and was approved after ranks had leave to move");
    }

    @Test
    void approvalThatIsRefusedIsNone() {
        Propose propose = proposed(5, 3, "plimsoll", "it pays", new Origin(true, Optional.empty()));
        answered(asked(new ControlAction.Approve(1)), ControlAnswer.Verdict.REFUSED, OptionalInt.empty());
        settles(propose);

        assertThat(faults()).singleElement().asString().endsWith("leave to move without any");
    }

    @Test
    void rollbackThatNobodyAskedForIsAFault() {
        settles(proposed(5, 3, "rollback", "back", new Origin(false, Optional.of("id-of-nobody"))));
        settles(proposed(5, 1, "rollback", "back", new Origin(false, Optional.of(asked(new ControlAction.Pause())))));

        assertThat(faults())
                .containsExactly(
                        "decision 1 says that command id-of-nobody asked for it, and nobody has given that",
                        "decision 2 says that command id-0 asked for it, which is to pause and has no answer");
    }

    @Test
    void pinThatADecisionAfterItDoesNotKeepIsAFaultUntilItIsTakenBack() {
        settles(proposed(5, 3));
        // Expert 3 is on rank 1 in slots 3 and 5 now, and nowhere else.
        done(PIN);
        settles(proposed(0, 3, "plimsoll", "keeps what is asked of every placement: it", Origin.PLANNER));
        settles(proposed(5, 2));
        assertThat(faults()).isEmpty();

        settles(proposed(0, 0 == settled.layer(0)[4] ? 0 : 1));
        assertThat(faults())
                .containsExactly(
                        "decision 4 does not keep what was asked of every placement before it: pinned is expert 3"
                                + " of layer 0 on rank 0, which has no slot in use for it");
        done(UNPIN);
        settles(proposed(5, 1));
        settles(proposed(5, 2));
        assertThat(faults()).hasSize(1);
    }

    @Test
    void whatIsAskedWhileADecisionIsInFlightIsNotHeldAgainstIt() {
        Propose first = proposed(5, 2);
        done(PIN);
        settles(first);

        assertThat(faults()).isEmpty();
        settles(proposed(5, 1));
        assertThat(faults()).as("the next one has to").hasSize(1);
    }

    @Test
    void whatHasExpiredIsHeldAgainstNobody() {
        settles(proposed(5, 3, "plimsoll", "it pays", new Origin(true, Optional.empty())));
        settles(proposed(5, 1, "rollback", "back", new Origin(false, Optional.of("id-of-last-year"))));
        answered("id-of-last-year", ControlAnswer.Verdict.DONE, OptionalInt.of(2));

        assertThat(faults(control, true)).isEmpty();
        assertThat(faults(control, false)).hasSize(3);
    }
}
