package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A worker whose clock is an hour behind, on a topic that is dated by its writers, as those of earlier releases are. */
class PlannerClockSkewTest extends PlannerTaskFixture {
    private static final long HOUR_MILLIS = 3_600_000;

    @Test
    void abortedFromASlowClockIsFoundByASuccessorWhateverTheHour() {
        abortedWhileThePlannerIsDead(0, 1, 2, 3);

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Void");
    }

    @Test
    void abortedIsFoundWhereAnEarlierReleaseDidNotSayFromWhereAcksCount() {
        abortedWhileThePlannerIsDead(0, 1, 2, 3);
        partition.forgetNote();

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Void");
    }

    @Test
    void abortedIsFoundByTheSuccessorOfASuccessor() {
        long slow = abortedWhileThePlannerIsDead(0, 1, 2);
        restart(Policy.named("plimsoll"));
        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term");
        ackAt(slow, RankAck.Kind.ABORTED, 0, 3);

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Term", "Void");
    }

    /** Gives the time by the slow clock. */
    private long abortedWhileThePlannerIsDead(int... ranks) {
        long slow = partition.now - HOUR_MILLIS;
        partition.now += 2 * HOUR_MILLIS;
        proposed();
        partition.append(
                Topic.ACKS,
                new RankAck(
                        deployment,
                        1,
                        new RankId(0),
                        decision().epoch(),
                        RankAck.Kind.REFUSED,
                        0,
                        Optional.of(Refusal.NO_MEMORY),
                        decision().planHash(),
                        0),
                slow);
        partition.poll(true);
        assertThat(log()).endsWith("Abort");
        ackAt(slow, RankAck.Kind.ABORTED, 0, ranks);
        return slow;
    }
}
