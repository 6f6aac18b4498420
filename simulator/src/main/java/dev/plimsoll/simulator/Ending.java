package dev.plimsoll.simulator;

/**
 * Why an engine has stopped stepping.
 *
 * @param reason the kind of ending
 * @param step steps completed
 * @param detail what happened, for people
 */
public record Ending(Reason reason, long step, String detail) {

    /** The kinds of ending. */
    public enum Reason {
        /** The step asked for was reached. */
        REACHED,
        /** {@link Engine#stop()} was called, here or in another process of the group. */
        STOPPED,
        /** A boundary hook ordered a rank, here or in another process, to leave the group: no rank can step without it. */
        LEFT_GROUP,
        /** A kernel, the traffic, a hook or the exchange failed. */
        FAILED
    }
}
