package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlannerHistoryTest extends PlannerTaskFixture {
    @Test
    void successorSeesTheHistoryButDoesNotProposeFromOldWindowsAgain() {
        settled();
        window(2, true, PlacementState.settled(1));
        window(3, true, PlacementState.settled(1));
        refused.clear();

        restart(Policy.named("plimsoll"));
        assertThat(partition.note()).isEqualTo("looks back to 0 in windows");
        assertThat(partition.position()).isZero();
        partition.poll(true);
        window(4, true, PlacementState.settled(1));

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled", "Term");
        assertThat(refused).doesNotContain(KeepReason.COLD).endsWith(KeepReason.BALANCED);
        assertThat(partition.values(Topic.OUTCOMES)).hasSize(1);
    }

    @Test
    void successorSeesTheSameWindowsAsItsPredecessor() {
        Watching predecessor = new Watching();
        restart(predecessor);
        for (long index = 0; index < PlannerSettings.DEFAULTS.historyWindows() + 3; index++) {
            window(index, index % 2 == 0, PlacementState.settled(0));
        }
        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);

        assertThat(predecessor.seen).hasSize(PlannerSettings.DEFAULTS.historyWindows());
        assertThat(successor.seen).isEqualTo(predecessor.seen);
        // Two sub-samples in the newest two windows, as a plan is made without the newest too; those before keep their
        // sums only.
        int size = successor.seen.size();
        assertThat(successor.seen.get(size - 1)).startsWith("27 of 2: ");
        assertThat(successor.seen.get(size - 2)).startsWith("26 of 2: ");
        assertThat(successor.seen.subList(0, size - 2)).allMatch(window -> window.contains(" of 1: "));
    }

    /** Indices of the windows that were seen. */
    private static List<Long> indices(Watching policy) {
        return policy.seen.stream()
                .map(window -> Long.parseLong(window.substring(0, window.indexOf(' '))))
                .toList();
    }

    @Test
    void windowsBehindAJumpThatHealedFollowThoseBeforeItAndASuccessorSeesThemSo() {
        Watching predecessor = new Watching();
        restart(predecessor);
        for (long index : new long[] {0, 1, FAR, FAR + 1, 2, 3}) {
            window(index, index % 2 == 0, PlacementState.settled(0));
        }
        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);

        assertThat(indices(predecessor)).containsExactly(0L, 1L, FAR, FAR + 1, 2L, 3L);
        assertThat(successor.seen).isEqualTo(predecessor.seen);
        assertThat(dropped).isEmpty();
    }

    @Test
    void successorThatCannotHoldAllWindowsAtOnceSeesTheNewest() {
        Watching predecessor = new Watching();
        restart(predecessor);
        for (long index = 0; index < 120; index++) {
            rows(index, 1, PlacementState.settled(0));
            CloseReason reason = index % 4 == 3 ? CloseReason.COMPLETE : CloseReason.GAP;
            summary(index, 1, reason, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }
        Watching successor = new Watching();
        restart(successor);
        partition.pollRecords(50);
        partition.poll(true);

        // The newest 64 have a summary, and a quarter of those is complete.
        assertThat(indices(successor))
                .hasSize(16)
                .isEqualTo(indices(predecessor).subList(9, 25));
    }

    @Test
    void windowFarAheadThatIsNeverWholeIsGivenUpForTheNextBehindTheJumpBack() {
        Watching policy = new Watching();
        restart(policy);
        window(0, true, PlacementState.settled(0));
        summary(FAR, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        partition.poll(true);

        window(1, true, PlacementState.settled(0));

        assertThat(dropped).containsExactly(WindowJoin.Drop.OVERTAKEN);
        assertThat(indices(policy)).containsExactly(0L, 1L);
    }

    @Test
    void windowWithoutAnyRecordsDoesNotOvertakeOneWhoseRecordsAreStillToCome() {
        Watching policy = new Watching();
        restart(policy);
        window(0, true, PlacementState.settled(0));
        summary(1, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        summary(2, 1, CloseReason.GAP);
        partition.poll(true);
        rows(1, 1, PlacementState.settled(0));
        partition.poll(true);
        window(3, true, PlacementState.settled(0));

        assertThat(dropped).isEmpty();
        assertThat(indices(policy)).containsExactly(0L, 1L, 3L);
    }

    @Test
    void successorDoesNotPlanFromAnOldWindowWhileALaterOneIsStillToBeRead() {
        restart(new Watching());
        for (long index = 0; index < 6; index++) {
            window(index, true, PlacementState.settled(0));
        }
        Watching successor = new Watching();
        restart(successor);

        partition.pollRecords(5);
        assertThat(successor.seen).isEmpty();
        partition.poll(true);

        assertThat(successor.seen).hasSize(6);
    }

    /** Keeps the windows that the last plan was made from, and moves nothing. */
    private static final class Watching implements Policy {
        private volatile List<String> seen = List.of();

        @Override
        public String name() {
            return "watching";
        }

        @Override
        public LayerPlan plan(PlanRequest request, int layer) {
            seen = request.windows().stream()
                    .map(window -> window.windowIndex() + " of " + window.samples() + ": "
                            + Arrays.deepToString(window.toDoubles()))
                    .toList();
            return Policy.named("static").plan(request, layer);
        }
    }

    @Test
    void offsetIsWhatWasReadAndItsNoteFollowsTheOldestWindowOfTheHistory() {
        for (long index = 0; index < PlannerSettings.DEFAULTS.historyWindows() + 3; index++) {
            window(index, index % 2 == 0, PlacementState.settled(0));
        }

        // Four records per window; three windows have left the history.
        assertThat(partition.note()).isEqualTo("looks back to 12 in windows, acks from 0");
        assertThat(partition.committedOffset())
                .as("what is read, so that the group has no lag")
                .hasValue(4L * (PlannerSettings.DEFAULTS.historyWindows() + 3));

        // A successor reads the history again, and meanwhile the group does not go back.
        long read = partition.committedOffset().orElseThrow();
        restart(Policy.named("static"));
        assertThat(partition.position()).isEqualTo(12);
        partition.pollRecords(8);
        assertThat(partition.committedOffset()).hasValue(read);
        partition.poll(true);
        assertThat(partition.committedOffset()).hasValue(read);
        assertThat(partition.note()).isEqualTo("looks back to 12 in windows, acks from 0");

        // An earlier release has left nothing beside its offset.
        partition.forgetNote();
        restart(Policy.named("static"));
        assertThat(partition.position()).isEqualTo(read);
    }

    @Test
    void successorReadsATopicThatWasMadeAgainFromItsStart() {
        restart(new Watching());
        for (long index = 0; index < 5; index++) {
            window(index, true, PlacementState.settled(0));
        }
        partition.makeWindowsAgain();
        rows(5, 1, PlacementState.settled(0));
        summary(5, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        rows(6, 1, PlacementState.settled(0));
        summary(6, 1, CloseReason.COMPLETE, PlacementState.settled(0));

        Watching successor = new Watching();
        restart(successor);
        assertThat(partition.position()).isZero();
        partition.poll(true);

        assertThat(indices(successor)).containsExactly(5L, 6L);
        assertThat(partition.committedOffset()).hasValue(8);
        assertThat(partition.note()).isEqualTo("looks back to 0 in windows'");
    }

    @Test
    void successorReadsATopicThatWasMadeAgainFromItsStartEvenWhereItIsLongerThanTheOldOne() {
        restart(new Watching());
        window(0, true, PlacementState.settled(0));
        partition.now += PlannerSettings.DEFAULTS.lookBack().toMillis() + 2000;
        rows(1, 1, PlacementState.settled(0));
        summary(1, 1, CloseReason.GAP, PlacementState.settled(0));
        partition.poll(true);
        assertThat(partition.note()).isEqualTo("looks back to 8 in windows");
        partition.makeWindowsAgain();
        for (long index = 2; index < 6; index++) {
            rows(index, 1, PlacementState.settled(0));
            summary(index, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        }

        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);

        assertThat(indices(successor)).containsExactly(2L, 3L, 4L, 5L);
    }

    @Test
    void successorOnALogThatHasLostItsEndReadsWhatIsLeftOfTheHistoryAndGoesOn() {
        restart(new Watching());
        for (long index = 0; index < 5; index++) {
            window(index, true, PlacementState.settled(0));
        }
        partition.cutWindowsAt(12);

        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);
        assertThat(partition.committedOffset()).as("no lag below 0").hasValue(12);
        window(5, true, PlacementState.settled(0));

        assertThat(indices(successor)).containsExactly(0L, 1L, 2L, 5L);
        assertThat(partition.committedOffset()).hasValue(16);
    }

    @Test
    void successorOnALogThatHasLostAllThatIsLookedBackOnGoesOnAtItsEnd() {
        for (long index = 0; index < PlannerSettings.DEFAULTS.historyWindows() + 3; index++) {
            window(index, true, PlacementState.settled(0));
        }
        partition.cutWindowsAt(8);

        restart(Policy.named("static"));

        assertThat(partition.position()).isEqualTo(8);
        assertThat(partition.committedOffset()).hasValue(8);
    }

    @Test
    void offsetOfAnEarlierReleaseBeyondTheEndOfTheLogIsPutRight() {
        window(0, true, PlacementState.settled(0));
        partition.forgetNote();
        partition.cutWindowsAt(0);

        restart(Policy.named("static"));

        assertThat(partition.position()).isZero();
        assertThat(partition.note()).isEqualTo("looks back to 0 in windows");
    }

    @Test
    void incompleteWindowIsNeverPlannedFrom() {
        window(0, true, PlacementState.settled(0));
        rows(1, 1, PlacementState.settled(0));
        summary(1, 1, CloseReason.GAP, PlacementState.settled(0));
        partition.poll(true);

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.INCOMPLETE);
    }

    @Test
    void windowThatIsNotConservedIsNeverPlannedFromAndSaysWhichLayer() {
        window(0, true, PlacementState.settled(0));
        conservation = Conservation.violated(List.of(new Conservation.Violation(1, 48_795, 182_976)));
        window(1, true, PlacementState.settled(0));

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.NOT_CONSERVED);
        assertThat(details.get(1)).contains("layer 1: 48795 computed, 182976 routed × top-k");
        assertThat(log()).doesNotContain("Propose");

        conservation = Conservation.YES;
        window(2, true, PlacementState.settled(0));
        assertThat(log()).as("planned from windows 0 and 2").contains("Propose");
    }

    @Test
    void windowThatWasComparedWithNothingIsPlannedFromAndTheDecisionSaysSo() {
        conservation = Conservation.UNKNOWN;
        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));

        assertThat(decision().reason()).endsWith("; tokens computed were not compared with tokens routed");
    }

    @Test
    void windowWithoutSummaryIsGivenUpWhenALaterOneIsWhole() {
        rows(0, 1, PlacementState.settled(0));
        partition.poll(true);
        assertThat(dropped).isEmpty();

        window(1, true, PlacementState.settled(0));

        assertThat(dropped).containsExactly(WindowJoin.Drop.OVERTAKEN);
        assertThat(partition.note()).isEqualTo("looks back to 4 in windows");
    }

    @Test
    void ofWindowsWithoutASummaryTheOldestGiveWay() {
        for (long index = 0; index < WindowJoin.MOST_OPEN + 6; index++) {
            rows(index, 1, PlacementState.settled(0));
        }
        partition.poll(true);
        partition.poll(true);

        assertThat(dropped).isNotEmpty().containsOnly(WindowJoin.Drop.OVERFLOW);
        assertThat(partition.note()).isEqualTo("looks back to 24 in windows");
    }
}
