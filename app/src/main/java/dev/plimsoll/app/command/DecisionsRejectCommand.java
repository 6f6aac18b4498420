package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Ends a decision that waits. */
@Command(
        name = "reject",
        description = {"Reject a decision that waits for approval.", "Says what it would do, unless --execute is given."
        })
public final class DecisionsRejectCommand extends ControlCommand {
    @Mixin
    private EpochParameter decision = new EpochParameter();

    @Override
    void checkAction(Problems problems) {
        decision.check(problems);
    }

    @Override
    ControlAction action() {
        return new ControlAction.Reject(decision.epoch());
    }
}
