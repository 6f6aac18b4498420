package dev.plimsoll.simulator;

/**
 * The processes that run one engine together.
 *
 * @param life identifies one life of the engine, equal in all processes: what is left of an older one is replaced
 * @param processes how many
 * @param process which one this is, 0..processes-1
 * @param survives whether this process steps on by itself when another is lost, with the tokens that its own ranks have for each other;
 *     else it ends, as an engine does that cannot serve without all its ranks
 */
public record ProcessGroup(Meeting meeting, long life, int processes, int process, boolean survives) {
    /** A process that ends when another is lost. */
    public ProcessGroup(Meeting meeting, long life, int processes, int process) {
        this(meeting, life, processes, process, false);
    }

    public ProcessGroup {
        if (processes < 2 || process < 0 || process >= processes) {
            throw new IllegalArgumentException(
                    "process " + process + " of " + processes + ": a group has at least 2, numbered from 0");
        }
    }
}
