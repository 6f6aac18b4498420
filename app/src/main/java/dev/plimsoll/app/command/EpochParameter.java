package dev.plimsoll.app.command;

import picocli.CommandLine.Parameters;

/** Which decision. */
public final class EpochParameter {
    @Parameters(paramLabel = "EPOCH", description = "The decision's number, as 'decisions list' has it.")
    private int epoch;

    void check(Problems problems) {
        problems.require(epoch >= 1, "a decision's number is at least 1, not " + epoch);
    }

    int epoch() {
        return epoch;
    }
}
