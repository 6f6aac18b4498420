package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.Standing.Word;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StandingTest extends PlannerTaskFixture {
    private final List<Standing> stood = new ArrayList<>();
    private final List<String> answered = new ArrayList<>();
    private final List<String> heard = new ArrayList<>();

    private final PlannerListener watching = new PlannerListener() {
        @Override
        public void heard(WindowSummary window) {
            heard.add("window " + window.index());
        }

        @Override
        public void heard(RankAck ack) {
            heard.add(ack.rank() + " " + ack.kind());
        }

        @Override
        public void answered(Control control, ControlAnswer answer) {
            answered.add(control.action().word() + ": " + answer.verdict());
        }

        @Override
        public void stands(Standing standing) {
            stood.add(standing);
        }
    };

    @Test
    void deploymentStandsAsItsDecisionDoesAndSaysForWhomItWaits() {
        watch(PlannerSettings.DEFAULTS);
        partition.poll(true);
        assertThat(stands())
                .isEqualTo(new Standing(DEPLOYMENT, Set.of(Word.IDLE), 0, OptionalInt.empty(), List.of(), ""));

        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));
        ack(RankAck.Kind.ACCEPTED, 0, 0, 2);
        partition.poll(true);
        assertThat(stands())
                .isEqualTo(new Standing(
                        DEPLOYMENT,
                        Set.of(Word.PROPOSED),
                        0,
                        OptionalInt.of(1),
                        List.of(new RankId(1), new RankId(3)),
                        ""));

        int last = decision().batches().size();
        ack(RankAck.Kind.ACCEPTED, 0, 1, 3);
        ack(RankAck.Kind.FLIPPED, last, 0, 1, 3);
        partition.poll(true);
        assertThat(stands().words()).containsExactly(Word.RUNNING);
        assertThat(stands().awaited()).containsExactly(new RankId(2));

        ack(RankAck.Kind.FLIPPED, last, 2);
        partition.poll(true);
        assertThat(stands())
                .isEqualTo(new Standing(DEPLOYMENT, Set.of(Word.IDLE), 1, OptionalInt.empty(), List.of(), ""));
        assertThat(heard)
                .startsWith("window 0", "window 1", "rank 0 ACCEPTED", "rank 2 ACCEPTED")
                .hasSize(10);
    }

    @Test
    void ranksThatDisagreeAreQuarantinedAndItSaysWhy() {
        watch(PlannerSettings.DEFAULTS);
        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));
        ack(RankAck.Kind.ABORTED, 0, 0, 1, 2);
        ack(RankAck.Kind.ABORTED, 1, 3);
        partition.poll(true);

        assertThat(log()).contains("Abort");
        assertThat(stands().words()).containsExactly(Word.QUARANTINED);
        assertThat(stands().why()).contains("disagree");
    }

    @Test
    void deploymentIsPausedSinceSomebodySaidSoAndWhileItsRanksAreBusy() {
        watch(PlannerSettings.DEFAULTS);
        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));
        partition.append(
                Topic.CONTROL,
                new Control(DEPLOYMENT, "id", 7_000, "alice", "INC-1", OptionalInt.empty(), new ControlAction.Pause()));
        partition.poll(true);

        assertThat(stands().words()).containsExactlyInAnyOrder(Word.PROPOSED, Word.PAUSED);
        assertThat(stands().pausedSinceMillis()).hasValue(7_000);
        assertThat(stands().why()).startsWith("paused by alice since ").endsWith(": INC-1");
    }

    @Test
    void decisionAwaitsApprovalUntilSomebodyApproves() {
        watch(PlannerSettings.DEFAULTS.withApproval(new ApprovalChoice(true, Duration.ofMinutes(30))));
        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        assertThat(stands().words()).containsExactlyInAnyOrder(Word.PROPOSED, Word.AWAITS_APPROVAL);
        assertThat(stands().awaited()).as("ranks").isEmpty();

        partition.append(
                Topic.CONTROL,
                new Control(
                        DEPLOYMENT, "id", 7_000, "alice", "fine", OptionalInt.empty(), new ControlAction.Approve(1)));
        partition.poll(true);
        assertThat(stands().words()).containsExactly(Word.RUNNING);
    }

    @Test
    void whatIsNotCommittedIsNotToldAndAges() {
        watch(PlannerSettings.DEFAULTS);
        window(0, true, PlacementState.settled(0));
        int told = heard.size();
        partition.fence();
        window(1, true, PlacementState.settled(0));

        assertThat(heard).hasSize(told);
    }

    @Test
    void commandThatWaitsForTheWindowsOfBeforeIsToldWithTheTimeAtWhichItWasGivenAndItsAnswerOnce() {
        watch(PlannerSettings.DEFAULTS);
        for (long index = 0; index < 4; index++) {
            window(index, true, PlacementState.settled(0));
        }
        assertThat(stands().unansweredSinceMillis()).isEmpty();
        Control asked = new Control(
                DEPLOYMENT, "id-1", 77_000, "alice", "it hangs", OptionalInt.empty(), new ControlAction.Void());
        partition.append(Topic.CONTROL, asked);

        watch(PlannerSettings.DEFAULTS);
        partition.pollRecords(1);
        assertThat(stands().unansweredSinceMillis()).hasValue(77_000);
        assertThat(answered).isEmpty();

        partition.poll(true);
        assertThat(stands().unansweredSinceMillis()).isEmpty();
        assertThat(answered).containsExactly("void: REFUSED");
    }

    private void watch(PlannerSettings settings) {
        partition.assign(new PlannerTask(
                settings, planning, PlanDesk.AT_ONCE, "test", watching, () -> Instant.ofEpochMilli(partition.now)));
    }

    private Standing stands() {
        return stood.get(stood.size() - 1);
    }
}
