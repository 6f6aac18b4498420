package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.wire.kafka.Delivery;
import dev.plimsoll.worker.protocol.Fixture;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

class NodeSessionTest {
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeTopics topics = new FakeTopics();
    private final List<String> told = new ArrayList<>();
    private final FakePort zero = new FakePort(0);
    private final FakePort one = new FakePort(1);
    private final Delivery delivery = new Delivery(InstantSource.system());
    private final NodeSession session = new NodeSession(
            Fixture.MEMBERS,
            topics,
            new WorkerListener() {
                @Override
                public void onMailboxFull(RankId rank, long position) {
                    told.add("full " + rank);
                }

                @Override
                public void onTrouble(String what, Throwable cause) {
                    told.add("trouble: " + what);
                }

                @Override
                public void onRefused(RankId rank, int epoch, Refusal refusal) {
                    told.add(rank + " refused: " + refusal);
                }
            },
            time,
            Duration.ofMillis(5),
            delivery);

    @BeforeEach
    void start() {
        session.start();
        session.add(List.of(zero, one));
    }

    @AfterEach
    void stop() {
        session.close();
        time.dispose();
    }

    @Test
    void everyMailboxGetsTheCommandsOfItsDeploymentAndIncarnationAndAllTerms() {
        topics.append(0, term(6, 1));
        topics.append(1, abort(6, 2));
        topics.append(2, abort(Fixture.INCARNATION, 3));

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(zero.records).containsExactly("0 TERM 1", "4 ABORT 3");
        assertThat(one.records).isEqualTo(zero.records);
    }

    @Test
    void ringThatCannotBeReadIsToldOnceAndTheOthersAreServed() {
        zero.broken = new InternalError("a fault occurred in an unsafe memory access operation");
        one.closedByEngine = true;
        topics.append(0, term(6, 1));

        time.advanceTimeBy(Duration.ofMillis(200));

        assertThat(told).containsExactly("trouble: looking at the ring of rank 0");
        assertThat(one.records).containsExactly("0 TERM 1");
        assertThat(session.endIsDue()).as("nobody knows how rank 0 ended").isFalse();
    }

    @Test
    void restartedWorkerGoesOnBehindWhatTheMailboxHolds() {
        one.last = 4;
        topics.append(2, abort(Fixture.INCARNATION, 3));
        topics.append(3, abort(Fixture.INCARNATION, 4));

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(zero.records).containsExactly("4 ABORT 3", "6 ABORT 4");
        assertThat(one.records).containsExactly("6 ABORT 4");
    }

    @Test
    void fullMailboxIsTriedAgainAndNothingOvertakes() {
        one.full = true;
        topics.append(2, abort(Fixture.INCARNATION, 3));
        topics.append(3, abort(Fixture.INCARNATION, 4));
        time.advanceTimeBy(Duration.ofMillis(100));
        assertThat(zero.records).containsExactly("4 ABORT 3");
        assertThat(told).containsExactly("full rank 1");

        one.full = false;
        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(zero.records).containsExactly("4 ABORT 3", "6 ABORT 4");
        assertThat(one.records).isEqualTo(zero.records);
    }

    @Test
    void planLogThatBreaksIsReadAgainFromTheBeginning() {
        topics.append(2, abort(Fixture.INCARNATION, 3));
        time.advanceTimeBy(Duration.ofMillis(20));

        topics.breakLog();
        topics.append(3, abort(Fixture.INCARNATION, 4));
        time.advanceTimeBy(Duration.ofSeconds(2));

        assertThat(zero.records).containsExactly("4 ABORT 3", "6 ABORT 4");
        assertThat(told).contains("trouble: reading the plan log");
    }

    @Test
    void statesBecomeAcksOnceAndAgainOnlyAfterAFailure() {
        topics.brokerAway = true;
        zero.state = state(RankPhase.DONE, 2, -1);
        time.advanceTimeBy(Duration.ofMillis(50));
        assertThat(topics.acks).isEmpty();

        topics.brokerAway = false;
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(told).containsExactly("trouble: writing acks, which are tried again");
        assertThat(topics.acks)
                .containsExactly(
                        "rank 0 ACCEPTED 1 at step 64",
                        "rank 0 FLIPPED 1 batch 1 at step 64",
                        "rank 0 FLIPPED 1 batch 2 at step 64");
    }

    @Test
    void flippedBatchesAreAckedWithWhatTheyTookWhereTheRankSays() {
        FlipCost cost = new FlipCost(64 << 20, 41_000_000, 350_000);
        zero.state = state(RankPhase.DONE, 2, -1);
        zero.costs.put("1/2", cost);
        zero.costs.put("7/1", new FlipCost(1, 1, 1)); // of another decision

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(topics.records)
                .filteredOn(ack -> ack.kind() == RankAck.Kind.FLIPPED)
                .extracting(RankAck::cost)
                .containsExactly(Optional.empty(), Optional.of(cost));
    }

    @Test
    void abortedAndRefusedStatesAreAckedWithBStarAndReason() {
        zero.state = state(RankPhase.ABORTED, 1, -1);
        one.state = state(RankPhase.REFUSED, 0, Refusal.STALE_BASE.ordinal());

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(topics.acks)
                .containsExactly(
                        "rank 0 FLIPPED 1 batch 1 at step 64",
                        "rank 0 ABORTED 1 after batch 1 at step 64",
                        "rank 1 REFUSED 1: STALE_BASE at step 64");
        assertThat(told).containsExactly("rank 1 refused: STALE_BASE");
    }

    @Test
    void stateOfAnotherIncarnationIsNotAcked() {
        zero.state = new RankState(6, 0, 1, RankPhase.DONE, 2, 9, -1, false, 3, 64);

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(topics.acks).isEmpty();
    }

    private static RankState state(RankPhase phase, int flipped, int refusal) {
        return new RankState(Fixture.INCARNATION, 0, 1, phase, flipped, 9, refusal, phase == RankPhase.FATAL, 3, 64);
    }

    private static PlanCommand term(long incarnation, long number) {
        return new PlanCommand.Term(new PlanHeader(Fixture.DEPLOYMENT, incarnation, 1, number), "planner");
    }

    private static PlanCommand abort(long incarnation, long number) {
        return new PlanCommand.Abort(new PlanHeader(Fixture.DEPLOYMENT, incarnation, 1, number), (int) number, "test");
    }
}
