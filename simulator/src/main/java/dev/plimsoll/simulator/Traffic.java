package dev.plimsoll.simulator;

/**
 * What the routers pick: for every lane (one token of a step) and every layer the top-k experts.
 *
 * <p>A function of its source, options and seed: two processes that make equal traffic see equal picks at every step. One
 * thread.
 */
public interface Traffic {
    /** Tokens of the largest steps. */
    int lanes();

    /** Lanes that a step has, at most {@link #lanes}: the first ones. The others wait. */
    default int lanes(long step) {
        return lanes();
    }

    int layers();

    /** Logical experts per layer; picks are below it. */
    int experts();

    /** Experts picked per token and layer, all different. */
    int topK();

    /**
     * Fills the picks of the next step.
     *
     * @param step 0, 1, 2…: traffic has a state and goes forward only; anything else is refused
     * @param picks {@code [lane][layer][k]} flattened, of {@link #picksPerStep()} elements, owned by the caller; those of lanes that the
     *     step does not have stay as they are
     */
    void step(long step, short[] picks);

    /** Assignments of the largest steps: lanes × layers × top-k. */
    default int picksPerStep() {
        return Math.multiplyExact(Math.multiplyExact(lanes(), layers()), topK());
    }
}
