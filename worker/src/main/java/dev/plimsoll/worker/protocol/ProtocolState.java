package dev.plimsoll.worker.protocol;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Refusal;
import java.util.Optional;

/**
 * All that a rank knows of its decisions.
 *
 * @param settled the settled placement; what is served is this with the first {@code batchesFlipped} batches of the decision
 * @param phase where it is in {@code epoch}
 * @param epoch the decision last heard of, 0 before the first
 * @param planHash its hash, 0 when it was never proposed to this rank
 * @param decision the proposal, present while it is accepted and not yet settled or void
 * @param batchesFlipped batches of it that this rank has flipped, b*
 * @param refusal why it cannot go on here
 * @param transferring the batch whose transfers are under way or whose staging memory is held, 0 when none
 * @param transferRuns whether bytes may still move
 * @param cast the last vote while its gather is unresolved
 * @param staged the placement state when this boundary began
 * @param observeOnly no more gathers, so no more votes
 * @param term the highest term heard
 * @param commandNumber of the last command taken
 */
public record ProtocolState(
        Placement settled,
        RankPhase phase,
        int epoch,
        long planHash,
        Optional<PlanCommand.Propose> decision,
        int batchesFlipped,
        Optional<Refusal> refusal,
        int transferring,
        boolean transferRuns,
        Optional<RankVote> cast,
        PlacementState staged,
        boolean observeOnly,
        long term,
        long commandNumber) {

    /** A rank at the start of its incarnation. */
    public static ProtocolState serving(Placement settled, boolean observeOnly) {
        return new ProtocolState(
                settled,
                RankPhase.SERVING,
                0,
                0,
                Optional.empty(),
                0,
                Optional.empty(),
                0,
                false,
                Optional.empty(),
                PlacementState.settled(settled.version()),
                observeOnly,
                0,
                0);
    }

    /**
     * What this rank serves, in words that are equal on all ranks that serve the same: a decision counts from its first flip,
     * and with its last flip it is the new version, whether or not SETTLED was heard. (Ranks hear of PROPOSE and SETTLED at
     * different times, of flips at the same boundary. Only after an aborted prefix do they differ until all have heard.)
     */
    public PlacementState placementState() {
        if (batchesFlipped == 0 || decision.isEmpty()) {
            return PlacementState.settled(settled.version());
        }
        return batchesFlipped == decision.get().batches().size()
                ? PlacementState.settled(epoch)
                : new PlacementState(settled.version(), epoch, batchesFlipped);
    }

    /** The placement that {@link #placementState()} names. */
    public Placement serves() {
        return decision.isEmpty() ? settled : flipped(decision.get(), batchesFlipped, epoch);
    }

    Placement flipped(PlanCommand.Propose propose, int batches, int version) {
        return settled.withBatches(version, propose.batches().subList(0, batches));
    }

    int nextBatch() {
        return batchesFlipped + 1;
    }

    boolean voteMayFlip() {
        return cast.isPresent() && cast.get().level() >= 1;
    }

    Edit edit() {
        return new Edit(this);
    }

    /** A copy in the making. */
    static final class Edit {
        Placement settled;
        RankPhase phase;
        int epoch;
        long planHash;
        Optional<PlanCommand.Propose> decision;
        int batchesFlipped;
        Optional<Refusal> refusal;
        int transferring;
        boolean transferRuns;
        Optional<RankVote> cast;
        PlacementState staged;
        boolean observeOnly;
        long term;
        long commandNumber;

        Edit(ProtocolState from) {
            settled = from.settled;
            phase = from.phase;
            epoch = from.epoch;
            planHash = from.planHash;
            decision = from.decision;
            batchesFlipped = from.batchesFlipped;
            refusal = from.refusal;
            transferring = from.transferring;
            transferRuns = from.transferRuns;
            cast = from.cast;
            staged = from.staged;
            observeOnly = from.observeOnly;
            term = from.term;
            commandNumber = from.commandNumber;
        }

        ProtocolState done() {
            return new ProtocolState(
                    settled,
                    phase,
                    epoch,
                    planHash,
                    decision,
                    batchesFlipped,
                    refusal,
                    transferring,
                    transferRuns,
                    cast,
                    staged,
                    observeOnly,
                    term,
                    commandNumber);
        }
    }
}
