package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** A command that steers a deployment: says what it would do, and with {@code --execute} has the planner do it. */
@Command(mixinStandardHelpOptions = true, sortOptions = false)
abstract class ControlCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Mixin
    private ControlOptions how = new ControlOptions();

    @Override
    public final void check(Problems problems) {
        where.check(problems);
        checkAction(problems);
        how.check(problems);
    }

    /** Told what is wrong with what the command itself was given. */
    void checkAction(Problems problems) {}

    /** What the planner is to do; asked once nothing is wrong. */
    abstract ControlAction action();

    @Override
    public final Integer call() {
        return ControlRun.of(where, how, action());
    }
}
