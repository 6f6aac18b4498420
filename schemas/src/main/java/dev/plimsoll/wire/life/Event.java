package dev.plimsoll.wire.life;

/** What happens to a partition. */
public sealed interface Event {
    /** What is to become of a partition that has failed. */
    enum Remedy {
        /** The same again, later. */
        RETRY,
        /** From what is committed, later. */
        RESET,
        /** From what is committed, much later. */
        QUARANTINE
    }

    /** It is its turn: waits are over. */
    record Due() implements Event {}

    /**
     * The log has been looked at.
     *
     * @param writer whether a writer was made, which has fenced the predecessor; without one there could be no predecessor
     */
    record TakenOver(boolean writer) implements Event {}

    /** The task has rebuilt its state. */
    record Recovered() implements Event {}

    /** Something is to be read or written, and there is no writer: nobody has been fenced. */
    record WriterWanted() implements Event {}

    /**
     * The task threw at a record.
     *
     * @param broken whether it threw an error of the machine ({@link Error}), which may well come again
     */
    record Crashed(Place at, boolean broken) implements Event {}

    /** Anything else went wrong. */
    record Failed(Remedy remedy) implements Event {}

    /** The input's log is not the one from which the task has recovered. */
    record LogChanged() implements Event {}
}
