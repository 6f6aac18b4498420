package dev.plimsoll.device;

/** Where a rank is in the decision that it last heard of: {@code PLM_PHASE_*}, by ordinal. */
public enum RankPhase {
    /** No decision in flight. */
    SERVING,
    /** The decision was refused, or can no longer be carried out by this rank; batches flipped before stay flipped. */
    REFUSED,
    /** A valid proposal is here; nothing may be done about it yet. */
    ACCEPTED,
    /** Permitted: votes 1 for the next batch. */
    WILLING,
    /** All ranks were willing: weights of the batch are under way; still votes 1. */
    TRANSFERRING,
    /** Weights of the batch arrived and verified: votes 2. */
    READY,
    /** All batches flipped; waits for SETTLED. */
    DONE,
    /** Told to stop, but the last vote may still flip, or weights are still under way. */
    ABORTING,
    /** Stopped; what was flipped is final. */
    ABORTED,
    /** Others may have flipped and this rank cannot know: it must not run another step. */
    FATAL,
    /** All ranks were ready: the engine moves its experts to the target by itself. */
    MOVING;

    private static final RankPhase[] PHASES = values();

    /** Whether a decision is being carried out, so that no other may begin. */
    public boolean inFlight() {
        return this != SERVING && this != REFUSED && this != ABORTED;
    }

    /** The phase of a number in a ring's header. */
    static RankPhase of(int number) {
        if (number < 0 || number >= PHASES.length) {
            throw new IllegalArgumentException("phase " + number
                    + " of a rank is not known: its engine's libplimsoll is newer than this worker's");
        }
        return PHASES[number];
    }
}
