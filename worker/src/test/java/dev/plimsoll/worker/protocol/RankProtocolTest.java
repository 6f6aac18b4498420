package dev.plimsoll.worker.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.worker.protocol.RankEffect.Ignored;
import dev.plimsoll.worker.protocol.RankEffect.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;

class RankProtocolTest {
    private static final PlanCommand.Propose PROPOSE =
            Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, Fixture.BATCHES);

    private final RankProtocol protocol = new RankProtocol(Fixture.MEMBERS);
    private ProtocolState state = ProtocolState.serving(Fixture.INITIAL, false);
    private List<RankEffect> effects = List.of();

    @Test
    void planBasedOnAnotherVersionIsRefused() {
        hear(Fixture.propose(Fixture.header(1, 1), 4, Fixture.INITIAL.withVersion(3), Fixture.BATCHES));

        assertRefused(Refusal.STALE_BASE);
    }

    @Test
    void planThatLeavesAnExpertWithoutASlotIsRefused() {
        // Slots 0 and 4 are all that hold expert 0.
        Batch batch = new Batch(1, List.of(move(0, 0, 2, 2), move(0, 4, 3, 3)));
        hear(Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, List.of(batch)));

        assertRefused(Refusal.INVALID_PLAN);
    }

    @Test
    void planThatLeavesAnExpertWithoutASlotInUseIsRefused() {
        Batch batch = new Batch(
                1,
                List.of(),
                List.of(
                        new Switch(new LayerId(0), new SlotId(0), false),
                        new Switch(new LayerId(0), new SlotId(4), false)));
        hear(Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, List.of(batch)));

        assertRefused(Refusal.INVALID_PLAN);
    }

    /** As a rank of an earlier release would see it. */
    @Test
    void planWhoseSwitchesAreLostIsRefused() {
        PlanCommand.Propose whole =
                Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, Fixture.SWITCHES.subList(0, 1));
        Batch other = new Batch(1, List.of(move(1, 5, 3, 3)));
        hear(new PlanCommand.Propose(
                whole.header(), 1, 0, whole.planHash(), List.of(other), 3, 0.5, 0.9, "test", "it pays"));

        assertRefused(Refusal.INVALID_PLAN);
    }

    @Test
    void planWhoseHashIsNotThatOfItsMovesIsRefused() {
        hear(new PlanCommand.Propose(
                PROPOSE.header(), 1, 0, PROPOSE.planHash() + 1, Fixture.BATCHES, 3, 0.5, 0.9, "test", "it pays"));

        assertRefused(Refusal.INVALID_PLAN);
    }

    @Test
    void batchBeyondStagingMemoryIsRefused() {
        // Two experts fit a rank's staging memory; rank 2 would get three.
        Batch batch = new Batch(1, List.of(move(0, 4, 2, 2), move(0, 5, 3, 3), move(1, 4, 2, 2)));
        hear(Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, List.of(batch)));

        assertRefused(Refusal.NO_MEMORY);
    }

    @Test
    void rankThatCannotVoteRefuses() {
        state = ProtocolState.serving(Fixture.INITIAL, true);
        hear(PROPOSE);

        assertRefused(Refusal.OBSERVE_ONLY);
    }

    @Test
    void sameEpochWithAnotherHashIsRefusedAndTheFirstOneStands() {
        hear(PROPOSE);
        hear(Fixture.propose(Fixture.header(1, 2), 1, Fixture.INITIAL, Fixture.OTHER_BATCHES));

        assertThat(state.refusal()).contains(Refusal.HASH_MISMATCH);
        assertThat(state.phase()).isEqualTo(RankPhase.ACCEPTED);
        assertThat(state.planHash()).isEqualTo(PROPOSE.planHash());
    }

    @Test
    void leaveForAnotherHashIsRefused() {
        hear(PROPOSE);
        hear(new PlanCommand.Permit(Fixture.header(1, 2), 1, 99));

        assertRefused(Refusal.HASH_MISMATCH);
    }

    @Test
    void refusedDecisionIsAbortedWithNothingFlippedAndTheNextIsAccepted() {
        state = ProtocolState.serving(Fixture.INITIAL, false);
        hear(Fixture.propose(Fixture.header(1, 1), 4, Fixture.INITIAL.withVersion(3), Fixture.BATCHES));
        hear(new PlanCommand.Abort(Fixture.header(1, 2), 4, "refused"));
        assertThat(state.phase()).isEqualTo(RankPhase.ABORTED);
        hear(new PlanCommand.Void(Fixture.header(1, 3), 4, "aborted"));

        hear(Fixture.propose(Fixture.header(1, 4), 5, Fixture.INITIAL, Fixture.BATCHES));

        assertThat(state.phase()).isEqualTo(RankPhase.ACCEPTED);
        assertThat(state.refusal()).isEmpty();
    }

    @Test
    void commandsOfOthersChangeNothingAndAreCounted() {
        hear(new PlanCommand.Term(Fixture.header(3, 5), "planner"));
        ProtocolState before = state;

        assertIgnored(new PlanCommand.Term(Fixture.header(2, 6), "zombie"), Reason.OLD_TERM);
        assertIgnored(new PlanCommand.Term(Fixture.header(3, 5), "planner"), Reason.DUPLICATE);
        assertThat(state).isEqualTo(before);
        assertIgnored(
                new PlanCommand.Abort(new PlanHeader(Fixture.DEPLOYMENT, 6, 3, 6), 1, "old life"),
                Reason.FOREIGN_INCARNATION);
        assertThat(state.phase()).isEqualTo(RankPhase.SERVING);
        assertIgnored(new PlanCommand.Permit(Fixture.header(3, 7), 1, 9), Reason.OLD_EPOCH);
    }

    @Test
    void secondProposalWhileOneIsInFlightIsBusy() {
        hear(PROPOSE);

        assertIgnored(Fixture.propose(Fixture.header(1, 2), 2, Fixture.INITIAL, Fixture.OTHER_BATCHES), Reason.BUSY);
        assertThat(state.epoch()).isEqualTo(1);
    }

    @Test
    void settledThatDisagreesWithWhatWasFlippedChangesNothing() {
        flipBatch(1);
        hear(new PlanCommand.Abort(Fixture.header(1, 3), 1, "operator"));
        protocolOn(RankEvent.Verdict.NOTHING);
        assertThat(state.phase()).isEqualTo(RankPhase.ABORTED);

        assertIgnored(
                new PlanCommand.Settled(Fixture.header(1, 4), 1, 2, true, PROPOSE.planHash()), Reason.OUT_OF_PLACE);
        assertIgnored(new PlanCommand.Settled(Fixture.header(1, 5), 1, 1, false, 99), Reason.OUT_OF_PLACE);
        assertIgnored(new PlanCommand.Void(Fixture.header(1, 6), 1, "wrong"), Reason.OUT_OF_PLACE);
    }

    @Test
    void settledPrefixIsServedAsTheNewVersion() {
        flipBatch(1);
        assertThat(state.placementState()).isEqualTo(new PlacementState(0, 1, 1));
        hear(new PlanCommand.Abort(Fixture.header(1, 3), 1, "operator"));
        protocolOn(RankEvent.Verdict.NOTHING);

        long hash = Fixture.after(PROPOSE, Fixture.INITIAL, 1).hash();
        hear(new PlanCommand.Settled(Fixture.header(1, 4), 1, 1, false, hash));

        assertThat(state.settled()).isEqualTo(Fixture.after(PROPOSE, Fixture.INITIAL, 1));
        assertThat(state.placementState()).isEqualTo(PlacementState.settled(1));
    }

    @Test
    void voteTellsTheStateThatTheStepsBeforeRanUnder() {
        flipBatch(1);

        assertThat(protocol.vote(state).state()).isEqualTo(PlacementState.settled(0));
        protocolOn(RankEvent.Verdict.NOTHING);
        assertThat(protocol.vote(state).state()).isEqualTo(new PlacementState(0, 1, 1));
    }

    @Test
    void verdictThatThisRankNeverVotedForIsFatal() {
        protocolOn(new RankEvent.Verdict(RankEvent.Gather.RESOLVED, 1, 1, 2));

        assertThat(effects).containsExactly(new RankEffect.LeaveGroup());
        assertThat(state.phase()).isEqualTo(RankPhase.FATAL);
    }

    private void flipBatch(int batch) {
        hear(PROPOSE);
        hear(new PlanCommand.Permit(Fixture.header(1, 2), 1, PROPOSE.planHash()));
        protocolOn(new RankEvent.Voted(protocol.vote(state)));
        protocolOn(new RankEvent.Verdict(RankEvent.Gather.RESOLVED, 1, batch, 1));
        protocolOn(new RankEvent.TransferEnded(1, batch, true));
        protocolOn(new RankEvent.Voted(protocol.vote(state)));
        protocolOn(new RankEvent.Verdict(RankEvent.Gather.RESOLVED, 1, batch, 2));
        assertThat(state.batchesFlipped()).isEqualTo(batch);
    }

    private void hear(PlanCommand command) {
        protocolOn(new RankEvent.Command(command));
    }

    private void protocolOn(RankEvent event) {
        Transition transition = protocol.on(state, event);
        state = transition.state();
        effects = transition.effects();
    }

    private void assertRefused(Refusal refusal) {
        assertThat(state.phase()).isEqualTo(RankPhase.REFUSED);
        assertThat(state.refusal()).contains(refusal);
        assertThat(protocol.vote(state).level()).isZero();
    }

    private void assertIgnored(PlanCommand command, Reason reason) {
        hear(command);
        assertThat(effects).containsExactly(new Ignored(reason, command.summary()));
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }
}
