package dev.plimsoll.simulator;

/** What an engine tells while it runs. Calls come on its own threads and must be short. */
public interface EngineListener {
    /** Told nothing. */
    EngineListener NONE = new EngineListener() {};

    /** One rank's hook has returned; on the dispatch thread. {@code nanos}: how long the dispatch thread was in it. */
    default void boundary(long step, int rank, long nanos) {}

    /** All hooks of this process have returned; on the dispatch thread. {@code nanos}: the sum over them. */
    default void boundaryDone(long step, long nanos) {}

    /**
     * A step of this process is over; on the dispatch thread, after the hooks of a boundary behind it. {@code nanos}: what it took,
     * without them and without waiting until it was due, but with what they have put on the streams behind it.
     */
    default void stepped(long step, long nanos) {}

    /** A misrouted token, the first few of each rank only; on the rank's compute stream. */
    default void misrouted(MisroutedToken token) {}

    /** The engine has stopped stepping; on the dispatch thread. */
    default void ended(Ending ending) {}
}
