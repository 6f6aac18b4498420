package dev.plimsoll.device;

import static dev.plimsoll.device.AgentGroup.EXPERT_BYTES;
import static dev.plimsoll.device.AgentGroup.SLOTS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.device.AgentGroup.Batch;
import dev.plimsoll.device.AgentGroup.Move;
import dev.plimsoll.device.AgentGroup.Rank;
import dev.plimsoll.device.AgentGroup.Switch;
import dev.plimsoll.device.BoundaryHook.Order;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the binding of the agent does, on the real host back end: what the library itself does is tested where it is written. */
class RankAgentTest {
    private static final long HASH = 0x1234;
    /** Second replicas become others: slots of rank 2 from rank 1, and a slot of rank 0 from the rank itself. */
    private static final List<Batch> BATCHES = List.of(
            Batch.of(new Move(0, 4, 2, 2), new Move(0, 5, 3, 3)), Batch.of(new Move(1, 0, 1, 1), new Move(1, 5, 2, 2)));

    private static final int[] AFTER = {0, 1, 2, 3, 2, 3, 1, 1, 2, 3, 0, 2};

    @TempDir
    Path directory;

    @Test
    void decisionMovesAllTensorsAndFlipsMapsOfAllRanksAtTheSameBoundaries() {
        try (AgentGroup group = new AgentGroup(directory)) {
            group.propose(1, 0, HASH, BATCHES);
            group.permit(1, HASH);

            group.boundariesUntil(() -> group.all(RankPhase.DONE));

            for (Rank rank : group.ranks) {
                assertThat(rank.map).isEqualTo(AFTER);
                assertThat(rank.told).containsExactly("started 1/1", "flipped 1/1", "started 1/2", "flipped 1/2");
                assertThat(rank.orders).containsOnly(Order.GO_ON);
                assertThat(rank.agent.state().batchesFlipped()).isEqualTo(2);
            }
            try (HeatRing ring = HeatRing.open(group.ranks.get(2).file)) {
                assertThat(ring.state().phase()).isEqualTo(RankPhase.DONE);
            }
        }
    }

    @Test
    void settledDecisionIsWhatTheNextOneIsBasedOn() {
        try (AgentGroup group = new AgentGroup(directory)) {
            group.propose(1, 0, HASH, BATCHES);
            group.permit(1, HASH);
            group.boundariesUntil(() -> group.all(RankPhase.DONE));

            group.settled(1, 2);
            group.propose(2, 0, HASH + 1, BATCHES);
            group.boundariesUntil(() -> group.all(RankPhase.REFUSED));

            for (Rank rank : group.ranks) {
                assertThat(rank.agent.state().settledVersion()).isEqualTo(1);
                assertThat(rank.told).endsWith("refused 2 0");
            }
        }
    }

    @Test
    void slotsFallIdleWithoutTransfersOnAllRanksAtOnce() {
        try (AgentGroup group = new AgentGroup(directory)) {
            group.propose(
                    1,
                    0,
                    HASH,
                    List.of(new Batch(List.of(), List.of(new Switch(0, 4, 0, false), new Switch(1, 1, 1, false)))));
            group.permit(1, HASH);

            group.boundariesUntil(() -> group.all(RankPhase.DONE));

            assertThat(group.ranks.get(1).map[4]).isEqualTo(~0);
            assertThat(group.ranks.get(1).map[SLOTS + 1]).isEqualTo(~1);
        }
    }

    @Test
    void flipThatTheEngineThrowsInOrdersTheRankToLeaveAndIsNeverReported() {
        try (AgentGroup group = new AgentGroup(directory)) {
            Rank failing = group.ranks.get(1);
            failing.failsFlips = true;
            group.propose(1, 0, HASH, BATCHES);
            group.permit(1, HASH);

            while (!failing.orders.contains(Order.LEAVE_GROUP)) {
                group.boundary();
            }
            failing.orders.clear();
            failing.orders.add(failing.agent.atBoundary(group.step + AgentGroup.K));

            assertThat(failing.orders).containsExactly(Order.LEAVE_GROUP);
            assertThat(failing.told)
                    .contains("fatal: flip of layer 0 failed: java.lang.IllegalStateException: no room for a new map")
                    .doesNotContain("flipped 1/1");
            assertThat(failing.agent.state().phase()).isEqualTo(RankPhase.FATAL);
            assertThat(failing.agent.state().batchesFlipped()).isZero();
            assertThat(group.ranks.get(0).told).contains("flipped 1/1");
        }
    }

    @Test
    void timeThatCannotBeToldCostsNeitherAStepNorAFlip() {
        try (AgentGroup group = new AgentGroup(directory)) {
            for (Rank rank : group.ranks) {
                rank.clock = Optional.of(new StepClock(2_000, 10));
            }
            group.boundary();
            for (Rank rank : group.ranks) {
                rank.clock = Optional.of(new StepClock(1_000, 10));
            }
            group.propose(1, 0, HASH, BATCHES);
            group.permit(1, HASH);

            group.boundariesUntil(() -> group.all(RankPhase.DONE));

            for (Rank rank : group.ranks) {
                assertThat(rank.told).first().asString().startsWith("untimed: time of steps: ");
                assertThat(rank.map).isEqualTo(AFTER);
            }
        }
    }

    @Test
    void orderThatChangesNothingIsToldWithItsReason() {
        try (AgentGroup group = new AgentGroup(directory)) {
            group.permit(7, HASH);

            group.boundary();

            // PLM_IGNORED_OLD_EPOCH
            assertThat(group.ranks.get(0).told).containsExactly("ignored 7 3");
        }
    }

    @Test
    void engineThatMovesByItselfIsGivenTheTargetOnceAndSaysWhenItHasGotThere() {
        try (AgentGroup group = new AgentGroup(directory, true)) {
            group.propose(
                    1,
                    0,
                    HASH,
                    List.of(new Batch(
                            List.of(
                                    new Move(0, 4, 2, 2),
                                    new Move(0, 5, 3, 3),
                                    new Move(1, 0, 1, 1),
                                    new Move(1, 5, 2, 2)),
                            List.of())));
            group.permit(1, HASH);
            group.boundariesUntil(() -> group.ranks.get(0).target.isPresent());
            for (int i = 0; i < 3; i++) {
                group.boundary();
            }
            assertThat(group.all(RankPhase.MOVING)).isTrue();

            for (Rank rank : group.ranks) {
                assertThat(rank.target.orElseThrow()).isEqualTo(AFTER);
                assertThat(rank.told).containsExactly("to move 1");
                rank.target = Optional.empty();
                rank.moved = Optional.of(AFTER);
            }
            group.boundary();

            for (Rank rank : group.ranks) {
                assertThat(rank.agent.state().phase()).isEqualTo(RankPhase.DONE);
                assertThat(rank.agent.state().batchesFlipped()).isEqualTo(1);
                assertThat(rank.target).isEmpty();
            }
        }
    }

    @Test
    void engineAsksUntilNothingMayComeToItsSlotsAndThenLoadsOtherWeights() {
        try (AgentGroup group = new AgentGroup(directory)) {
            group.propose(1, 0, HASH, BATCHES);
            group.permit(1, HASH);
            group.boundariesUntil(() -> group.all(RankPhase.WILLING));

            for (Rank rank : group.ranks) {
                assertThat(rank.agent.reload()).isFalse();
            }
            group.boundariesUntil(() ->
                    group.ranks.stream().filter(rank -> rank.agent.reload()).count() == group.ranks.size());
            for (Rank rank : group.ranks) {
                rank.agent.reloaded(5);
            }
            group.boundary();

            for (Rank rank : group.ranks) {
                // PLM_REFUSAL_TRANSFER_FAILED
                assertThat(rank.told).contains("started 1/1", "refused 1 7").doesNotContain("flipped 1/1");
                assertThat(rank.misplaced()).isEmpty();
                assertThat(rank.orders).containsOnly(Order.GO_ON);
            }
        }
    }

    @Test
    void weightsThatDoNotCoverEveryLayerAreRefusedWhenTheAgentIsOpened() {
        try (AgentGroup group = new AgentGroup(directory)) {
            Rank rank = group.ranks.get(0);
            rank.weights.remove(0);

            assertThatThrownBy(() -> RankAgent.open(
                            rank.ring,
                            Optional.of(rank.communicator),
                            rank.mailbox,
                            rank,
                            new RankAgent.Options(
                                    0, AgentGroup.EXPERTS, EXPERT_BYTES, AgentGroup.PATIENCE, 0, 0, false),
                            AgentGroup.initial(),
                            rank))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("layer");
        }
    }
}
