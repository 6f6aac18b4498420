package dev.plimsoll.worker.protocol;

import dev.plimsoll.model.PlanCommand;

/** What can happen to a rank. */
public sealed interface RankEvent {

    /** How the gather of the boundary before ended, as far as this rank can know. */
    enum Gather {
        /** All votes were seen. */
        RESOLVED,
        /** Still under way; possible only where this rank's own vote was 0, so that nothing was decided. */
        PENDING,
        /** Not resolved within the flip timeout, or broken: this rank takes part in no gather any more. */
        LOST
    }

    /**
     * A boundary begins: the gather before is resolved and the counters are staged. Everything else of the boundary follows.
     *
     * @param epoch smallest epoch voted, meaningful from level 1
     * @param batch smallest batch voted, meaningful from level 1
     * @param level smallest level voted, 0 unless incarnation, placement state and plan hash were equal on all ranks
     */
    record Verdict(Gather gather, int epoch, int batch, int level) implements RankEvent {
        public static final Verdict NOTHING = new Verdict(Gather.RESOLVED, 0, 0, 0);
    }

    /** A command of the plan log, in the log's order, perhaps more than once. */
    record Command(PlanCommand command) implements RankEvent {}

    /** The transfers of a batch have ended: no more bytes of it are sent or received by this rank. */
    record TransferEnded(int epoch, int batch, boolean verified) implements RankEvent {}

    /** The vote of this boundary was cast: it cannot be withdrawn. */
    record Voted(RankVote vote) implements RankEvent {}
}
