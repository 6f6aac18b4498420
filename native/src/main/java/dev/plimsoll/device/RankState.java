package dev.plimsoll.device;

/**
 * The state of a rank as its heat ring's header shows it to the node: published by the engine's dispatch thread, read by the
 * worker, which turns changes into acks.
 *
 * @param incarnation life of the deployment
 * @param settledVersion version of the settled placement that this rank serves
 * @param epoch the decision this rank last heard of, 0 before the first
 * @param phase where the rank is in {@code epoch}; the ordinal of a state of the rank's protocol
 * @param batchesFlipped batches of {@code epoch} that this rank has flipped
 * @param planHash hash of the plan of {@code epoch}
 * @param refusal why the rank refused {@code epoch}: an ordinal of the refusal reasons, -1 when it did not
 * @param fatal whether this rank must leave the group
 * @param commandNumber number of the last command of the plan log that this rank took from its mailbox
 * @param step boundary at which this state was published
 */
public record RankState(
        long incarnation,
        int settledVersion,
        int epoch,
        int phase,
        int batchesFlipped,
        long planHash,
        int refusal,
        boolean fatal,
        long commandNumber,
        long step) {}
