package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Stops a decision. */
@Command(
        name = "abort",
        description = {
            "Stop a decision in flight; what was flipped of it stays.",
            "Says what it would do, unless --execute is given."
        })
public final class DecisionsAbortCommand extends ControlCommand {
    @Mixin
    private EpochParameter decision = new EpochParameter();

    @Override
    void checkAction(Problems problems) {
        decision.check(problems);
    }

    @Override
    ControlAction action() {
        return new ControlAction.Abort(decision.epoch());
    }
}
