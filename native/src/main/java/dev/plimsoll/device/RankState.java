package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;

/**
 * The state of a rank as its heat ring's header shows it to the node: published by the engine's dispatch thread, read by the
 * worker, which turns changes into acks.
 *
 * @param incarnation life of the deployment
 * @param settledVersion version of the settled placement that this rank serves
 * @param epoch the decision this rank last heard of, 0 before the first
 * @param phase where the rank is in {@code epoch}
 * @param batchesFlipped batches of {@code epoch} that this rank has flipped
 * @param planHash hash of the plan of {@code epoch}
 * @param refusal why the rank refused {@code refusedEpoch}: {@code PLM_REFUSAL_*}, -1 when it did not
 * @param fatal whether this rank must leave the group
 * @param commandNumber number of the last command of the plan log that this rank took from its mailbox
 * @param step boundary at which this state was published
 * @param refusedEpoch the decision that {@code refusal} speaks of: {@code epoch}, or a later one that found the rank busy; 0 when none
 * @param refusedHash hash of its plan
 * @param refusedStopped whether the rank has heard that the later decision is to stop: nothing of it was or will be flipped
 * @param flags {@code PLM_STATE_*}
 * @param refusedPeer the rank at the other end of the transfer for whose failure {@code refusedEpoch} was refused; -1 where there is
 *     none, or nobody knows
 */
public record RankState(
        long incarnation,
        int settledVersion,
        int epoch,
        RankPhase phase,
        int batchesFlipped,
        long planHash,
        int refusal,
        boolean fatal,
        long commandNumber,
        long step,
        int refusedEpoch,
        long refusedHash,
        boolean refusedStopped,
        int flags,
        int refusedPeer) {
    /** Of a rank that has refused nothing later than {@code epoch} and is in order. */
    public RankState(
            long incarnation,
            int settledVersion,
            int epoch,
            RankPhase phase,
            int batchesFlipped,
            long planHash,
            int refusal,
            boolean fatal,
            long commandNumber,
            long step) {
        this(
                incarnation,
                settledVersion,
                epoch,
                phase,
                batchesFlipped,
                planHash,
                refusal,
                fatal,
                commandNumber,
                step,
                refusal < 0 ? 0 : epoch,
                refusal < 0 ? 0 : planHash,
                false,
                0,
                -1);
    }

    /** Whether the rank's mailbox is broken, so that it hears no order any more. */
    public boolean deaf() {
        return (flags & PlimsollApi.PLM_STATE_DEAF) != 0;
    }
}
