package dev.plimsoll.device;

/** What a rank's agent tells of itself; called on the engine's dispatch thread, so be quick. */
public interface AgentListener {
    AgentListener NONE = new AgentListener() {};

    /** A boundary was worked off in this time. */
    default void onBoundary(long step, long nanos) {}

    default void onTransfersStarted(int epoch, int batch, long step) {}

    default void onTransferFailed(int epoch, int batch, String why) {}

    default void onFlipped(int epoch, int batch, long step) {}

    /** The engine was told to move its experts by itself. */
    default void onMoveOrdered(int epoch, long step) {}

    /** @param refusal {@code PLM_REFUSAL_*} */
    default void onRefused(int epoch, int refusal, String detail) {}

    /**
     * An order changed nothing.
     *
     * @param reason {@code PLM_IGNORED_*}
     */
    default void onIgnored(int epoch, int reason, String detail) {}

    /** An order or the mailbox could not be read; the rank goes on without it. */
    default void onUnreadable(String why) {}

    /** What steps or a flip took could not be said; the rank goes on without. */
    default void onUntimed(String why) {}

    /** The rank takes part in no gather any more and serves on. */
    default void onGroupAbandoned(long step, String why) {}

    /** The rank must leave the group. */
    default void onFatal(long step, String why) {}
}
