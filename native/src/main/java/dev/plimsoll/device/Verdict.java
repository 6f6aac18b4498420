package dev.plimsoll.device;

/**
 * What the gather of the boundary before has decided, computed by the library: the smallest of the votes, where all of
 * them speak of the same incarnation, placement state and plan.
 *
 * @param outcome how the gather ended
 * @param epoch smallest epoch, 0 when not agreed
 * @param batch smallest batch, 0 when not agreed
 * @param level smallest level: 0 unless all ranks voted at least this for the same epoch, batch and hash
 */
public record Verdict(Outcome outcome, int epoch, int batch, int level) {

    /** How the gather of the boundary before ended. */
    public enum Outcome {
        /** All contributions were read. */
        RESOLVED,
        /** Still under way; possible only when this rank's vote was 0, so nothing can have been decided. */
        PENDING,
        /** Not resolved within the timeout although this rank's vote was 1 or 2; see {@code decisions.md} for what then. */
        TIMED_OUT,
        /** The communicator was aborted or failed: no gather takes place any more. */
        FAILED,
        /** There was no gather before (first boundary). */
        NONE,
        /** The gather is known never to complete, on any rank: nobody has decided on it, nor will; no gather comes after it. */
        UNDECIDED
    }
}
