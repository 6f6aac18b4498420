package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Ends a pause. */
@Command(
        name = "resume",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {"Let decisions be made again.", "Says what it would do, unless --execute is given."})
public final class DeploymentResumeCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Mixin
    private ControlOptions how = new ControlOptions();

    @Override
    public void check(Problems problems) {
        where.check(problems);
        how.check(problems);
    }

    @Override
    public Integer call() {
        return ControlRun.of(where, how, new ControlAction.Resume());
    }
}
