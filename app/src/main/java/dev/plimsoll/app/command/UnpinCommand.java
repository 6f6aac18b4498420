package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Ends a pin. */
@Command(
        name = "unpin",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {"Let an expert leave a rank again.", "Says what it would do, unless --execute is given."})
public final class UnpinCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Mixin
    private PinOptions what = new PinOptions();

    @Mixin
    private ControlOptions how = new ControlOptions();

    @Override
    public void check(Problems problems) {
        where.check(problems);
        what.check(problems);
        how.check(problems);
    }

    @Override
    public Integer call() {
        return ControlRun.of(where, how, new ControlAction.Unpin(what.layer(), what.expert(), what.rank()));
    }
}
