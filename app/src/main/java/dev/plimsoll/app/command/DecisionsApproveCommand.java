package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lets a decision go on. */
@Command(
        name = "approve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Approve of a decision that waits for it (of a planner with --approval required).",
            "Says what it would do, unless --execute is given."
        })
public final class DecisionsApproveCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Parameters(paramLabel = "EPOCH", description = "The decision's number, as 'decisions list' has it.")
    private int epoch;

    @Mixin
    private ControlOptions how = new ControlOptions();

    @Override
    public void check(Problems problems) {
        where.check(problems);
        problems.require(epoch >= 1, "a decision's number is at least 1, not " + epoch);
        how.check(problems);
    }

    @Override
    public Integer call() {
        return ControlRun.of(where, how, new ControlAction.Approve(epoch));
    }
}
