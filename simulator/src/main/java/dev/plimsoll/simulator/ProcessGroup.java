package dev.plimsoll.simulator;

import java.nio.file.Path;

/**
 * The processes that run one engine together on one machine.
 *
 * @param segment shared-memory file of the exchange, best on tmpfs
 * @param life identifies one life of the engine, equal in all processes: an older segment is replaced
 * @param processes how many
 * @param process which one this is, 0..processes-1
 */
public record ProcessGroup(Path segment, long life, int processes, int process) {
    public ProcessGroup {
        if (processes < 2 || process < 0 || process >= processes) {
            throw new IllegalArgumentException(
                    "process " + process + " of " + processes + ": a group has at least 2, numbered from 0");
        }
    }
}
