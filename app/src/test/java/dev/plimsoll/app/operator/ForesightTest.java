package dev.plimsoll.app.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.operator.Foretold.Kind;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What an operator is told that the planner would do. */
class ForesightTest {
    private static final ControlAction PIN = new ControlAction.Pin(new LayerId(1), new ExpertId(2), new RankId(0));

    private final MadeUpDeployment made = new MadeUpDeployment("demo/decode-0");

    private Foretold foretold(ControlAction action) {
        return foretold(action, made.story().version());
    }

    private Foretold foretold(ControlAction action, OptionalInt basedOn) {
        return Foresight.of(
                made.story(), new Control(made.members().deployment(), "id", 0, "ada", "INC-1", basedOn, action));
    }

    @Test
    void commandThatRestsOnAnotherVersionIsStaleWhateverItWants() {
        made.takenOver();
        made.decided(4);

        for (ControlAction action : new ControlAction[] {
            new ControlAction.Pause(), new ControlAction.Rollback(0), PIN, new ControlAction.Drain(new RankId(7))
        }) {
            Foretold stale = foretold(action, OptionalInt.of(0));
            assertThat(stale.kind()).isEqualTo(Kind.WOULD_BE_STALE);
            assertThat(stale.text()).contains("v1 is settled").contains("v0");
        }
        assertThat(foretold(new ControlAction.Pause(), OptionalInt.empty()).kind())
                .isEqualTo(Kind.WOULD_DO);
    }

    @Test
    void whatIsSoAlreadyNeedsNoCommand() {
        made.takenOver().done(new ControlAction.Pause(), PIN);

        Foretold paused = foretold(new ControlAction.Pause());
        assertThat(paused.kind()).isEqualTo(Kind.NOTHING_TO_DO);
        assertThat(paused.text()).contains("ada").contains("INC-0");
        assertThat(foretold(PIN).kind()).isEqualTo(Kind.NOTHING_TO_DO);
        assertThat(foretold(new ControlAction.Undrain(new RankId(1))).kind()).isEqualTo(Kind.NOTHING_TO_DO);
        assertThat(foretold(new ControlAction.Rollback(0)).kind()).isEqualTo(Kind.NOTHING_TO_DO);
        assertThat(foretold(new ControlAction.Resume()).kind()).isEqualTo(Kind.WOULD_DO);
    }

    @Test
    void whatTheDeploymentDoesNotHaveIsRefusedWithWhatItHas() {
        made.takenOver();

        assertThat(refused(new ControlAction.Drain(new RankId(2))))
                .contains("rank 2")
                .contains("2 ranks");
        assertThat(refused(new ControlAction.Pin(new LayerId(2), new ExpertId(0), new RankId(0))))
                .contains("layer 2");
        assertThat(refused(new ControlAction.Pin(new LayerId(0), new ExpertId(3), new RankId(0))))
                .contains("expert 3");
        assertThat(refused(new ControlAction.Rollback(7))).contains("v7");
    }

    @Test
    void drainThatLeavesTooFewSlotsIsRefused() {
        made.takenOver();

        // The other rank has two slots in a layer for three experts.
        assertThat(refused(new ControlAction.Drain(new RankId(1))))
                .contains("2 slots")
                .contains("3 experts");
    }

    @Test
    void approvalIsForWhatWaitsForIt() {
        made.takenOver();
        int epoch = made.propose(new Origin(true, Optional.empty()), 4, "plimsoll");
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0);

        assertThat(foretold(new ControlAction.Approve(epoch)).kind()).isEqualTo(Kind.WOULD_DO);
        assertThat(foretold(new ControlAction.Reject(epoch)).kind()).isEqualTo(Kind.WOULD_DO);
        assertThat(foretold(new ControlAction.Approve(epoch + 1)).kind()).isEqualTo(Kind.WOULD_BE_STALE);

        made.done(new ControlAction.Approve(epoch));
        assertThat(foretold(new ControlAction.Approve(epoch)).kind()).isEqualTo(Kind.WOULD_BE_REFUSED);
        assertThat(foretold(new ControlAction.Reject(epoch)).kind()).isEqualTo(Kind.WOULD_BE_REFUSED);
        assertThat(foretold(new ControlAction.Abort(epoch)).kind()).isEqualTo(Kind.WOULD_DO);
    }

    @Test
    void whatHasEndedCannotBeStopped() {
        made.takenOver();
        int epoch = made.decided(4);

        Foretold stale = foretold(new ControlAction.Abort(epoch));

        assertThat(stale.kind()).isEqualTo(Kind.WOULD_BE_STALE);
        assertThat(stale.text()).contains("decision " + epoch);
    }

    @Test
    void wayBackSaysHowMuchItMoves() {
        made.takenOver();
        made.decided(4);

        Foretold back = foretold(new ControlAction.Rollback(0));

        assertThat(back.kind()).isEqualTo(Kind.WOULD_DO);
        assertThat(back.text()).startsWith("back to v0: 4 moves, 0 switches in 1 batches");
    }

    @Test
    void wayBackWaitsForWhatIsInFlight() {
        made.takenOver();
        made.decided(4);
        int epoch = made.propose(8);

        assertThat(refused(new ControlAction.Rollback(0))).contains("decision " + epoch);
    }

    @Test
    void oneShotsOfADeploymentWithoutAPlannerAreTooEarlyAndOrdersAreNot() {
        made.restarted(GatherMode.HOST);

        assertThat(foretold(new ControlAction.Rollback(0)).kind()).isEqualTo(Kind.TOO_EARLY);
        assertThat(foretold(new ControlAction.Void()).kind()).isEqualTo(Kind.TOO_EARLY);
        assertThat(foretold(new ControlAction.Pause()).kind()).isEqualTo(Kind.WOULD_DO);
    }

    @Test
    void voidIsForWhatCannotEndByItselfAndSaysHowItIsKnown() {
        made.takenOver();
        assertThat(foretold(new ControlAction.Void()).kind()).isEqualTo(Kind.WOULD_BE_STALE);
        int epoch = made.propose(4);
        assertThat(foretold(new ControlAction.Void()).kind()).isEqualTo(Kind.WOULD_BE_REFUSED);
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0, 1).permit(epoch);
        made.ack(epoch, RankAck.Kind.FLIPPED, 1, 0).abort(epoch, "stop");
        made.ack(epoch, RankAck.Kind.ABORTED, 1, 0).ack(epoch, RankAck.Kind.ABORTED, 0, 1);
        assertThat(made.story().stage()).isEqualTo(DeploymentStage.QUARANTINED);
        assertThat(refused(new ControlAction.Void())).contains("no complete window that would show what they serve");

        made.window(20);

        Foretold end = foretold(new ControlAction.Void());
        assertThat(end.kind()).as(end.text()).isEqualTo(Kind.WOULD_DO);
        assertThat(end.text()).contains("decision " + epoch + " is void").contains("all ranks serve v0");
    }

    @Test
    void ranksThatCannotVoteAreNotBroughtBackByAWord() {
        made.restarted(GatherMode.NONE).takenOver();

        assertThat(refused(new ControlAction.Void())).contains("cannot vote").contains("a restart of the ranks");
    }

    private String refused(ControlAction action) {
        Foretold foretold = foretold(action);
        assertThat(foretold.kind()).as(foretold.text()).isEqualTo(Kind.WOULD_BE_REFUSED);
        return foretold.text();
    }
}
