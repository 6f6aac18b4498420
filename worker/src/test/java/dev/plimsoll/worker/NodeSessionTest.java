package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.DeviceException;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.wire.kafka.Delivery;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
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
                public void onOrderTooLarge(RankId rank, int epoch, int bytes) {
                    told.add("too large for " + rank + ": decision " + epoch);
                }

                @Override
                public void onDeaf(RankId rank, String why) {
                    told.add("deaf " + rank + ": " + why);
                }

                @Override
                public void onToldAgain(RankId rank, int epoch) {
                    told.add("again " + rank + ": " + epoch);
                }

                @Override
                public void onFault(String fault) {
                    told.add("fault: " + fault);
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

    NodeSessionTest() {
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

    /** What reaches an engine is an order, read in place: nothing is left to be decoded or checked on its dispatch thread. */
    @Test
    void proposalReachesEveryRankAsItsOwnOrder() {
        topics.append(0, PROPOSE);

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(zero.orders).singleElement().satisfies(order -> {
            assertThat(order.planHash()).isEqualTo(PROPOSE.planHash());
            assertThat(order.parts()).hasSize(2);
            assertThat(order.parts().get(0).sends()).hasSize(1);
        });
        assertThat(one.orders.get(0).parts().get(0).sends()).hasSize(2);
    }

    @Test
    void settlementThatItsBatchesDoNotLeadToReachesNoRankAndIsToldOnce() {
        topics.append(0, PROPOSE);
        topics.append(1, new PlanCommand.Settled(Fixture.header(1, 2), 1, 2, true, PROPOSE.planHash()));
        time.advanceTimeBy(Duration.ofMillis(20));
        session.add(List.of(new FakePort(2))); // the log is read again

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(zero.records).containsExactly("0 PROPOSE 1");
        assertThat(told).singleElement().asString().startsWith("fault: SETTLED 1");
    }

    @Test
    void orderThatCanNeverFitAMailboxIsOneToRefuseAndNothingIsHeldUp() {
        one.mostBytes = 100;
        topics.append(0, PROPOSE);
        topics.append(1, abort(Fixture.INCARNATION, 2));

        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(told).containsExactly("too large for rank 1: decision 1");
        assertThat(one.records).containsExactly("0 PROPOSE 1", "2 ABORT 2");
        assertThat(one.orders.get(0).refusal()).isEqualTo(Refusal.NO_MEMORY.ordinal());
        assertThat(zero.orders.get(0).refusal()).isEqualTo(-1);
    }

    @Test
    void refusalOfALaterDecisionIsAckedAndSoIsItsEnd() {
        zero.state = late(RankPhase.WILLING, 1, Refusal.BUSY, false);
        time.advanceTimeBy(Duration.ofMillis(20));
        assertThat(topics.acks)
                .containsExactly(
                        "rank 0 ACCEPTED 1 at step 64",
                        "rank 0 FLIPPED 1 batch 1 at step 64",
                        "rank 0 REFUSED 2: BUSY at step 64");

        zero.state = late(RankPhase.WILLING, 1, Refusal.BUSY, true);
        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(topics.acks).hasSize(4).last().isEqualTo("rank 0 ABORTED 2 after batch 0 at step 64");
        assertThat(topics.records.get(2).planHash()).isEqualTo(11);
        assertThat(topics.records.get(3).planHash()).isEqualTo(11);
    }

    @Test
    void rankThatIsDeafIsAnsweredForAndHoldsUpNobody() {
        one.full = true;
        one.state = flagged(RankPhase.SERVING, 0);
        topics.append(0, PROPOSE);
        time.advanceTimeBy(Duration.ofMillis(100));
        assertThat(topics.acks).containsExactly("rank 1 REFUSED 1: DEAF at step 64");

        topics.append(1, new PlanCommand.Abort(Fixture.header(1, 2), 1, "refused"));
        time.advanceTimeBy(Duration.ofMillis(100));
        topics.append(2, new PlanCommand.Void(Fixture.header(1, 3), 1, "refused"));
        topics.append(3, propose(2, 4));
        time.advanceTimeBy(Duration.ofMillis(100));

        assertThat(topics.acks)
                .containsExactly(
                        "rank 1 REFUSED 1: DEAF at step 64",
                        "rank 1 ABORTED 1 after batch 0 at step 64",
                        "rank 1 REFUSED 2: DEAF at step 64");
        assertThat(topics.records.get(0).planHash()).isEqualTo(PROPOSE.planHash());
        assertThat(zero.records).containsExactly("0 PROPOSE 1", "2 ABORT 2", "4 VOID 3", "6 PROPOSE 4");
        assertThat(told)
                .endsWith(
                        "deaf rank 1: it says that its mailbox is damaged",
                        "rank 1 refused: DEAF",
                        "rank 1 refused: DEAF");
    }

    /** The decision that was in flight when it went deaf has stopped by itself, and only the rank knows where. */
    @Test
    void decisionThatADeafRankHasHeardOfIsLeftToItsOwnState() {
        one.state = flagged(RankPhase.ABORTING, 1);
        topics.append(0, PROPOSE);
        topics.append(1, new PlanCommand.Abort(Fixture.header(1, 2), 1, "refused"));
        time.advanceTimeBy(Duration.ofMillis(100));
        assertThat(topics.acks).containsExactly("rank 1 FLIPPED 1 batch 1 at step 64");

        one.state = flagged(RankPhase.ABORTED, 1);
        time.advanceTimeBy(Duration.ofMillis(20));

        assertThat(topics.acks).last().isEqualTo("rank 1 ABORTED 1 after batch 1 at step 64");
    }

    @Test
    void rankWhoseMailboxIsDamagedIsDeafThoughItDoesNotKnowYet() {
        one.damage = new DeviceException(-3, "cut short");
        topics.append(0, PROPOSE);
        time.advanceTimeBy(Duration.ofMillis(100));
        int tries = one.tries;
        topics.append(1, new PlanCommand.Abort(Fixture.header(1, 2), 1, "refused"));

        time.advanceTimeBy(Duration.ofMillis(100));

        assertThat(topics.acks)
                .containsExactly("rank 1 REFUSED 1: DEAF at step 0", "rank 1 ABORTED 1 after batch 0 at step 0");
        assertThat(zero.records).containsExactly("0 PROPOSE 1", "2 ABORT 2");
        assertThat(one.tries)
                .as("nothing is written to it any more")
                .isEqualTo(tries)
                .isEqualTo(1);
        assertThat(told).startsWith("deaf rank 1: its mailbox takes no order: cut short");
    }

    @Test
    void mailboxWithAnotherWriterIsTriedAgain() {
        one.damage = new DeviceException(-5, "another writer");
        topics.append(0, term(7, 1));
        time.advanceTimeBy(Duration.ofMillis(100));
        assertThat(told).containsExactly("trouble: reading the plan log");

        one.damage = null;
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(one.records).containsExactly("0 TERM 1");
    }

    @Test
    void rankThatHasMissedASettlementIsToldAgainOnceBetweenTwoCommands() {
        topics.append(0, PROPOSE);
        topics.append(1, settled());
        topics.append(2, propose(2, 3));
        time.advanceTimeBy(Duration.ofMillis(20));
        told.clear();

        zero.state = late(RankPhase.DONE, 2, Refusal.BEHIND, false);
        time.advanceTimeBy(Duration.ofMillis(100));

        assertThat(zero.records).containsExactly("0 PROPOSE 1", "2 SETTLED 2", "4 PROPOSE 3", "5 SETTLED 2");
        assertThat(zero.orders.get(3).flags()).isEqualTo(1);
        assertThat(zero.orders.get(3).batchCount()).isEqualTo(2);
        assertThat(one.records).containsExactly("0 PROPOSE 1", "2 SETTLED 2", "4 PROPOSE 3");
        assertThat(told).containsExactly("again rank 0: 1", "rank 0 refused: BEHIND");

        topics.append(3, new PlanCommand.Void(Fixture.header(1, 4), 2, "refused"));
        zero.state = late(RankPhase.SERVING, 0, Refusal.BEHIND, false);
        time.advanceTimeBy(Duration.ofMillis(100));
        assertThat(zero.records).last().isEqualTo("6 VOID 4");
    }

    /** It goes on asking when the decision that it had to refuse is over: in its own epoch, and that is no refusal. */
    @Test
    void rankThatStillAsksIsToldAgainAndSaysNoRefusal() {
        topics.append(0, PROPOSE);
        topics.append(1, settled());
        zero.state = state(RankPhase.DONE, 2, Refusal.BEHIND.ordinal());

        time.advanceTimeBy(Duration.ofMillis(100));

        assertThat(zero.records).last().isEqualTo("3 SETTLED 2");
        assertThat(topics.records).extracting(RankAck::kind).doesNotContain(RankAck.Kind.REFUSED);
    }

    private static final PlanCommand.Propose PROPOSE = propose(1, 1);

    private static PlanCommand.Propose propose(int epoch, long number) {
        return Fixture.propose(Fixture.header(1, number), epoch, Fixture.INITIAL, Fixture.BATCHES);
    }

    private static PlanCommand settled() {
        return new PlanCommand.Settled(
                Fixture.header(1, 2),
                1,
                2,
                true,
                Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash());
    }

    /** In decision 1, having refused decision 2. */
    private static RankState late(RankPhase phase, int flipped, Refusal refusal, boolean stopped) {
        return new RankState(
                Fixture.INCARNATION, 0, 1, phase, flipped, 9, refusal.ordinal(), false, 3, 64, 2, 11, stopped, 0, -1);
    }

    private static RankState flagged(RankPhase phase, int flipped) {
        int epoch = phase == RankPhase.SERVING ? 0 : 1;
        return new RankState(
                Fixture.INCARNATION,
                0,
                epoch,
                phase,
                flipped,
                9,
                -1,
                false,
                3,
                64,
                0,
                0,
                false,
                PlimsollApi.PLM_STATE_DEAF,
                -1);
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
