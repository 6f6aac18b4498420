package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Stops a decision. */
@Command(
        name = "abort",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Stop a decision in flight; what was flipped of it stays.",
            "Says what it would do, unless --execute is given."
        })
public final class DecisionsAbortCommand implements Callable<Integer>, Validated {
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
        return ControlRun.of(where, how, new ControlAction.Abort(epoch));
    }
}
