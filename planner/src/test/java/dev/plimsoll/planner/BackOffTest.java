package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BackOffTest extends PlannerTaskFixture {
    private long next;

    private void served(int windows) {
        for (int i = 0; i < windows; i++) {
            window(next++, true, PlacementState.settled(0));
        }
    }

    /** A rank refuses what is in flight, and all say that they flipped nothing of it. */
    private void refuse(Refusal refusal) {
        Propose decision = decision();
        partition.append(
                Topic.ACKS,
                new RankAck(
                        DEPLOYMENT,
                        1,
                        new RankId(3),
                        decision.epoch(),
                        RankAck.Kind.REFUSED,
                        0,
                        Optional.of(refusal),
                        decision.planHash(),
                        0));
        ack(RankAck.Kind.ABORTED, 0, 0, 1, 2, 3);
        partition.poll(true);
    }

    private long proposals() {
        return log().stream().filter("Propose"::equals).count();
    }

    /** Serves on and refuses whatever is proposed; the windows that were proposed from. */
    private List<Long> proposedFrom(int windows, Refusal refusal) {
        List<Long> from = new ArrayList<>();
        for (int i = 0; i < windows; i++) {
            long before = proposals();
            served(1);
            if (proposals() > before) {
                from.add(decision().windowIndex());
                refuse(refusal);
            }
        }
        return from;
    }

    @Test
    void ranksThatCannotVoteEndPlanningForTheIncarnationWithOneAlarm() {
        List<Long> from = proposedFrom(40, Refusal.OBSERVE_ONLY);

        assertThat(from).containsExactly(1L);
        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Void");
        assertThat(alarms)
                .singleElement()
                .asString()
                .contains("cannot vote any more")
                .contains("REFUSED 1: OBSERVE_ONLY");
        assertThat(refused.subList(1, refused.size())).containsOnly(KeepReason.OBSERVE_ONLY);

        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        for (long index = 0; index < 2; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }
        assertThat(log()).as("the next incarnation can").endsWith("Propose");
    }

    @Test
    void successorKnowsThatRanksCannotVoteAndRaisesNoSecondAlarm() {
        proposedFrom(4, Refusal.OBSERVE_ONLY);
        restart(Policy.named("plimsoll"));
        List<Long> from = proposedFrom(20, Refusal.OBSERVE_ONLY);

        assertThat(from).isEmpty();
        assertThat(alarms).hasSize(1);
        assertThat(refused).endsWith(KeepReason.OBSERVE_ONLY);
    }

    @Test
    void decisionsThatAreRefusedAgainAndAgainAreMadeLessAndLessOften() {
        List<Long> from = proposedFrom(600, Refusal.NO_MEMORY);

        // Ends in the window that it was made from; the pause begins behind it.
        assertThat(from).startsWith(1L, 4L, 9L, 18L, 35L, 68L, 133L, 262L, 519L).hasSize(9);
        assertThat(details.get(refused.lastIndexOf(KeepReason.BACK_OFF)))
                .isEqualTo("no_memory, 9 times since a decision settled: a pause of 256 windows, until window 776");
        assertThat(alarms).isEmpty();
    }

    @Test
    void successorGoesOnWithThePauseOfItsPredecessor() {
        proposedFrom(10, Refusal.NO_MEMORY);
        restart(Policy.named("plimsoll"));
        List<Long> from = proposedFrom(30, Refusal.NO_MEMORY);

        assertThat(from).containsExactly(18L, 35L);
    }

    @Test
    void settledDecisionMakesTheNextRefusalAFirstOne() {
        proposedFrom(4, Refusal.BUSY);
        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.COOLDOWN, KeepReason.BACK_OFF);
        served(1);
        assertThat(log()).endsWith("Void", "Propose");
        settle();

        Setbacks setbacks = Setbacks.NONE;
        for (PlanCommand command : partition.values(Topic.PLAN)) {
            setbacks = setbacks.after(command);
        }
        assertThat(setbacks.times()).isEmpty();
    }

    @Test
    void deadlinesThatPassAgainAndAgainAreASetbackToo() {
        served(2);
        partition.now += 60_000;
        next += 100;
        served(1);
        ack(RankAck.Kind.ABORTED, 0, IntStream.range(0, 4).toArray());
        partition.poll(true);
        served(3);

        assertThat(details.get(refused.lastIndexOf(KeepReason.BACK_OFF))).startsWith("not_accepted, 1 time since");
    }
}
