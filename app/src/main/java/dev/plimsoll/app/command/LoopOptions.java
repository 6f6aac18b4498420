package dev.plimsoll.app.command;

import dev.plimsoll.wire.kafka.PartitionLoops;
import picocli.CommandLine.Option;

/** How much of a group's work one process does at the same time. */
final class LoopOptions {
    @Option(
            names = "--loops",
            paramLabel = "N",
            defaultValue = "1",
            description = "Members of the group in this process, each with a thread that works on its share of the"
                    + " partitions (default: 1).")
    private int loops = 1;

    void check(Problems problems) {
        problems.require(
                loops >= 1 && loops <= PartitionLoops.MOST,
                "--loops must be 1 to " + PartitionLoops.MOST + ", not " + loops);
    }

    int count() {
        return loops;
    }
}
