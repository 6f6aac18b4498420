package dev.plimsoll.worker;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.BoundaryHook.Order;
import dev.plimsoll.device.FlipTimes;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.worker.FakeGroup.FakeRank;
import dev.plimsoll.worker.protocol.Fixture;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RankAgentTest {
    private static final PlanCommand.Propose PROPOSE =
            Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, Fixture.BATCHES);
    private static final PlanCommand.Permit PERMIT =
            new PlanCommand.Permit(Fixture.header(1, 2), 1, PROPOSE.planHash());

    private final FakeGroup group = new FakeGroup();

    @Test
    void idleBoundaryStagesAndIssuesAndPublishesOnlyOnce() {
        boundaries(3);

        assertThat(group.ranks.get(0).calls).containsExactly("begin", "end", "publish", "begin", "end", "begin", "end");
        assertThat(group.ranks.get(0).orders).containsOnly(Order.GO_ON);
    }

    @Test
    void stateThatCouldNotBePublishedIsPublishedAtTheNextBoundary() {
        FakeRank rank = group.ranks.get(0);
        rank.failedPublishes = 1;

        boundaries(3);

        assertThat(rank.calls).containsExactly("begin", "end", "publish", "begin", "end", "publish", "begin", "end");
        assertThat(rank.published).hasSize(1);
    }

    @Test
    void decisionMovesWeightsAndMapsOfAllRanksAtTheSameBoundaries() {
        group.tell(PROPOSE);
        group.tell(PERMIT);

        for (int i = 0; i < 10; i++) {
            group.boundary();
            for (FakeRank rank : group.ranks) {
                assertThat(rank.map).isDeepEqualTo(group.ranks.get(0).map);
                assertThat(rank.misplaced()).isEmpty();
            }
        }

        int[][] expected = Fixture.after(PROPOSE, Fixture.INITIAL, 2).toArray();
        assertThat(group.ranks.get(1).map).isDeepEqualTo(expected);
        for (FakeRank rank : group.ranks) {
            assertThat(phase(rank.state())).isEqualTo(RankPhase.DONE);
            assertThat(rank.state().batchesFlipped()).isEqualTo(2);
            assertThat(rank.agent.placementState()).isEqualTo(PlacementState.settled(1));
        }
    }

    @Test
    void weightsAreEnqueuedBeforeTheMapAndJoinedBeforeBoth() {
        group.tell(PROPOSE);
        group.tell(PERMIT);

        boundaries(10);

        List<String> calls = group.ranks.get(2).calls;
        int join = calls.indexOf("join");
        int copy = calls.indexOf("copy");
        int map = calls.indexOf("flipMap 0 [1, 3, 4]");
        int close = calls.indexOf("close");
        assertThat(List.of(join, copy, map, close)).isSorted().doesNotContain(-1);
        assertThat(calls).contains("exchange 65537", "exchange 65538");
    }

    @Test
    void slotsFallIdleAndComeBackIntoUseOnAllRanksAtTheSameBoundaries() {
        PlanCommand.Propose off = Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, Fixture.SWITCHES);
        Placement idle = Fixture.after(off, Fixture.INITIAL, 2);
        List<Batch> back = List.of(new Batch(
                1,
                List.of(),
                List.of(
                        new Switch(new LayerId(0), new SlotId(4), true),
                        new Switch(new LayerId(1), new SlotId(0), true))));
        PlanCommand.Propose on = Fixture.propose(Fixture.header(1, 4), 2, idle, back);

        group.tell(off);
        group.tell(new PlanCommand.Permit(Fixture.header(1, 2), 1, off.planHash()));
        boundariesInStep(10);
        assertServes(idle);
        assertThat(group.ranks.get(0).calls)
                .as("a batch without transfers is voted on like any other")
                .contains("exchange 65537", "flipMap 1 [0, 5]", "exchange 65538", "flipMap 0 [4, 5]");
        group.tell(new PlanCommand.Settled(Fixture.header(1, 3), 1, 2, true, idle.hash()));
        group.tell(on);
        group.tell(new PlanCommand.Permit(Fixture.header(1, 5), 2, on.planHash()));
        boundariesInStep(10);

        assertServes(Fixture.after(on, idle, 1));
        assertThat(group.ranks.get(0).map[0][4])
                .as("whose weights came while it was idle")
                .isEqualTo(2);
    }

    private void boundariesInStep(int count) {
        for (int i = 0; i < count; i++) {
            group.boundary();
            for (FakeRank rank : group.ranks) {
                assertThat(rank.map).isDeepEqualTo(group.ranks.get(0).map);
                assertThat(rank.idle).isEqualTo(group.ranks.get(0).idle);
                assertThat(rank.misplaced()).isEmpty();
            }
        }
    }

    private void assertServes(Placement placement) {
        FakeRank rank = group.ranks.get(1);
        assertThat(phase(rank.state())).isEqualTo(RankPhase.DONE);
        assertThat(Placement.of(placement.version(), rank.map, rank.idle)).isEqualTo(placement);
    }

    @Test
    void whatAFlipTookIsThereBeforeTheStateThatHasIt() {
        group.tell(PROPOSE);
        group.tell(PERMIT);

        boundaries(10);

        for (FakeRank rank : group.ranks) {
            assertThat(rank.flips).containsOnlyKeys("1/1", "1/2");
            for (int batch = 1; batch <= 2; batch++) {
                long received = received(PROPOSE, batch, rank.rank);
                FlipTimes flip = requireNonNull(rank.flips.get("1/" + batch));
                assertThat(flip.receivedBytes()).isEqualTo(received);
                assertThat(flip.transferNanos()).isEqualTo(received == 0 ? 0 : FakeGroup.TRANSFER.toNanos());
                assertThat(flip.flipNanos()).isPositive();
            }
            List<String> after = rank.calls.subList(rank.calls.indexOf("flip 1 1"), rank.calls.size());
            assertThat(after.indexOf("publish")).isBetween(1, 3);
        }
    }

    /** Of the weights that a batch moves, those that come to a rank from others. */
    private static long received(PlanCommand.Propose propose, int batch, int rank) {
        int slots = FakeGroup.MEMBERS.topology().slotsPerRank();
        return propose.batches().get(batch - 1).moves().stream()
                        .filter(move -> move.slot().index() / slots == rank
                                && move.source().index() / slots != rank)
                        .count()
                * FakeGroup.MEMBERS.bytesPerExpert();
    }

    @Test
    void whatAnEngineSaysOfItsTimeIsToldBeforeTheBoundary() {
        FakeRank rank = group.ranks.get(0);
        rank.clock = Optional.of(new StepClock(5, 2));

        boundaries(2);

        assertThat(rank.calls).containsExactly("clock 5 2", "begin", "end", "publish", "clock 5 2", "begin", "end");
    }

    @Test
    void timeThatCannotBeToldCostsNeitherAStepNorAFlip() {
        for (FakeRank rank : group.ranks) {
            rank.clock = Optional.of(new StepClock(5, 2));
            rank.refusesTimes = true;
        }
        group.tell(PROPOSE);
        group.tell(PERMIT);

        boundaries(10);

        for (FakeRank rank : group.ranks) {
            assertThat(rank.orders).containsOnly(Order.GO_ON);
            assertThat(rank.state().batchesFlipped()).isEqualTo(2);
            assertThat(rank.untimed)
                    .contains("time of steps: falls below what was given before", "flip of batch 2: cut short");
        }
    }

    @Test
    void settledDecisionIsTheNewBase() {
        group.tell(PROPOSE);
        group.tell(PERMIT);
        boundaries(10);

        group.tell(new PlanCommand.Settled(
                Fixture.header(1, 3),
                1,
                2,
                true,
                Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash()));
        boundaries(1);

        RankState state = group.ranks.get(0).state();
        assertThat(phase(state)).isEqualTo(RankPhase.SERVING);
        assertThat(state.settledVersion()).isEqualTo(1);
        assertThat(state.epoch()).isEqualTo(1);
    }

    @Test
    void abortBetweenTransferAndFlipLeavesThePlacementAsItWas() {
        group.transfersFinish = false;
        group.tell(PROPOSE);
        group.tell(PERMIT);
        boundaries(3);
        group.tell(new PlanCommand.Abort(Fixture.header(1, 3), 1, "operator"));
        boundaries(2);
        assertThat(phase(group.ranks.get(0).state())).isEqualTo(RankPhase.ABORTING);

        group.transfersFinish = true;
        boundaries(2);

        for (FakeRank rank : group.ranks) {
            assertThat(phase(rank.state())).isEqualTo(RankPhase.ABORTED);
            assertThat(rank.map).isDeepEqualTo(Fixture.INITIAL.toArray());
            assertThat(rank.misplaced()).isEmpty();
            assertThat(Collections.frequency(rank.calls, "close")).isEqualTo(1);
        }
    }

    @Test
    void failedTransferIsARefusalAndNobodyFlips() {
        group.ranks.get(1).failsTransfers = true;
        group.tell(PROPOSE);
        group.tell(PERMIT);

        boundaries(8);

        RankState state = group.ranks.get(1).state();
        assertThat(phase(state)).isEqualTo(RankPhase.REFUSED);
        assertThat(state.refusal()).isEqualTo(Refusal.TRANSFER_FAILED.ordinal());
        assertThat(group.ranks.get(0).map).isDeepEqualTo(Fixture.INITIAL.toArray());
    }

    @Test
    void lostGatherOfAReadyVoteOrdersTheRankToLeave() {
        group.tell(PROPOSE);
        group.tell(PERMIT);
        boundaries(2); // the second verdict starts transfers, which end at once: voted 2
        FakeRank rank = group.ranks.get(2);
        rank.losesGather = true;

        boundaries(2);

        assertThat(rank.orders).endsWith(Order.LEAVE_GROUP, Order.LEAVE_GROUP);
        assertThat(rank.state().fatal()).isTrue();
        assertThat(Collections.frequency(rank.calls, "begin")).isEqualTo(3);
    }

    @Test
    void lostGatherOfAnIdleVoteServesOnAndRefusesDecisions() {
        FakeRank rank = group.ranks.get(0);
        rank.losesGather = true;
        boundaries(2);
        group.tell(PROPOSE);

        boundaries(2);

        assertThat(rank.orders).containsOnly(Order.GO_ON);
        assertThat(Collections.frequency(rank.calls, "abandon")).isEqualTo(1);
        assertThat(rank.state().refusal()).isEqualTo(Refusal.OBSERVE_ONLY.ordinal());
    }

    @Test
    void lostLibraryNeverStopsAnIdleEngine() {
        FakeRank rank = group.ranks.get(0);
        rank.failsBegin = true;

        boundaries(3);

        assertThat(rank.orders).containsOnly(Order.GO_ON);
        assertThat(Collections.frequency(rank.calls, "begin")).isEqualTo(1);
    }

    @Test
    void flipThatCannotBeEnqueuedIsFatalAndNeverReportedAsFlipped() {
        FakeRank rank = group.ranks.get(0);
        rank.failsCopies = true;
        group.tell(PROPOSE);
        group.tell(PERMIT);

        boundaries(5);

        assertThat(rank.orders).endsWith(Order.LEAVE_GROUP);
        assertThat(rank.state().batchesFlipped()).isZero();
        assertThat(phase(rank.state())).isEqualTo(RankPhase.FATAL);
    }

    @Test
    void commandsOfOneBoundaryAreBounded() {
        FakeRank rank = group.ranks.get(0);
        for (int number = 1; number <= 40; number++) {
            rank.mailbox.add(new PlanCommand.Term(Fixture.header(number, number), "planner"));
        }

        group.boundary();

        assertThat(rank.mailbox).hasSize(40 - RankAgent.MOST_COMMANDS_PER_BOUNDARY);
        assertThat(rank.state().commandNumber()).isEqualTo(RankAgent.MOST_COMMANDS_PER_BOUNDARY);
    }

    private void boundaries(int count) {
        for (int i = 0; i < count; i++) {
            group.boundary();
        }
    }

    private static RankPhase phase(RankState state) {
        return state.phase();
    }
}
