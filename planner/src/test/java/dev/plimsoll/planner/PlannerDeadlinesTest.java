package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PlannerDeadlinesTest extends PlannerTaskFixture {
    @Test
    void rankThatDoesNotAcceptWhileOthersStepOnEndsTheDecision() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2);
        windows(2, 31, Duration.ofSeconds(1));
        assertThat(log()).as("59 boundaries").containsExactly("Term", "Propose");
        windows(31, 32, Duration.ofSeconds(1));
        ack(RankAck.Kind.ABORTED, 0, 0, 1, 2, 3);
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Void");
        assertThat(partition.values(Topic.PLAN).get(2).summary()).endsWith("3 of 4 ranks accepted in time");
    }

    /** Windows of two boundaries each, not all of which have a sample of every rank. */
    private void windows(long from, long to, Duration each) {
        for (long index = from; index < to; index++) {
            rows(index, 1, PlacementState.settled(0));
            summary(index, 1, index % 3 == 2 ? CloseReason.GAP : CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += each.toMillis();
            partition.poll(index % 2 == 0);
        }
    }

    @Test
    void ranksThatReachABoundaryAMinuteHaveTheTimeToFlip() {
        Duration slow = Duration.ofMinutes(2);
        windows(0, 2, slow);
        assertThat(log()).containsExactly("Term", "Propose");
        windows(2, 22, slow);
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        windows(22, 110, slow);
        ack(RankAck.Kind.FLIPPED, decision().batches().size(), 0, 1, 2, 3);
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled");
    }

    @Test
    void fastRanksHaveTheTimeThatRecordsTake() {
        proposed();
        windows(2, 100, Duration.ofMillis(100));
        assertThat(log()).as("196 boundaries in 9.8 s").containsExactly("Term", "Propose");

        windows(100, 200, Duration.ofMillis(100));
        assertThat(log()).containsExactly("Term", "Propose", "Abort");
    }

    @Test
    void engineWithoutRequestsIsNotAborted() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        for (int minute = 0; minute < 55; minute++) {
            partition.now += 60_000;
            partition.poll(true);
        }

        assertThat(log()).containsExactly("Term", "Propose", "Permit");
    }

    @Test
    void deploymentThatIsGoneIsGivenUpAfterAnHour() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        partition.now += 3_600_001;
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Abort");
        assertThat(partition.values(Topic.PLAN).get(3).summary()).contains("nothing is heard of the ranks' steps");
        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        assertThat(log()).endsWith("Abort", "Void");
    }

    @Test
    void successorCountsNoBoundariesOfBeforeItCame() {
        proposed();
        windows(2, 27, Duration.ofSeconds(1));
        restart(Policy.named("plimsoll"));
        windows(27, 52, Duration.ofSeconds(1));
        assertThat(log()).containsExactly("Term", "Propose", "Term");

        windows(52, 60, Duration.ofSeconds(1));
        assertThat(log()).containsExactly("Term", "Propose", "Term", "Abort");
    }

    @Test
    void membershipSaysHowManyBoundariesRanksHave() {
        partition.append(Topic.MEMBERS, members(2).withTraits(EngineTraits.USUAL.withDeadlines(new Deadlines(10, 20))));
        partition.poll(true);
        boundaries(2, 5);
        partition.now += 60_000;
        boundaries(5, 8);
        assertThat(log()).as("8 boundaries").containsExactly("Term", "Propose");

        boundaries(8, 9);
        assertThat(log()).as("10 boundaries").containsExactly("Term", "Propose", "Abort");
    }

    @Test
    void operatorSaysHowManyBoundariesRanksHaveWhateverTheMembership() {
        restart(
                Policy.named("plimsoll"),
                PlannerSettings.DEFAULTS.withBoundaries(OptionalInt.of(4), OptionalInt.empty()));
        proposed();
        partition.now += 60_000;
        windows(2, 3, Duration.ofSeconds(1));
        assertThat(log()).as("2 boundaries").endsWith("Term", "Propose");

        windows(3, 4, Duration.ofSeconds(1));
        assertThat(log()).as("4 boundaries").endsWith("Term", "Propose", "Abort");
    }

    /** Windows of the second incarnation. */
    private void boundaries(long from, long to) {
        for (long index = from; index < to; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }
    }
}
