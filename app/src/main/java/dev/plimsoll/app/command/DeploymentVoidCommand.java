package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Frees a deployment. */
@Command(
        name = "void",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "End what cannot end by itself: a decision whose ranks do not say how far they got, a quarantine, or ranks"
                    + " that can only be observed.",
            "Says what it would do, unless --execute is given."
        })
public final class DeploymentVoidCommand implements Callable<Integer>, Validated {
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
        return ControlRun.of(where, how, new ControlAction.Void());
    }
}
