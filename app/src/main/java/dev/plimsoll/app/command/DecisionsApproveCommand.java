package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lets a decision go on. */
@Command(
        name = "approve",
        description = {
            "Approve of a decision that waits for it (of a planner with --approval required).",
            "Says what it would do, unless --execute is given."
        })
public final class DecisionsApproveCommand extends ControlCommand {
    @Mixin
    private EpochParameter decision = new EpochParameter();

    @Override
    void checkAction(Problems problems) {
        decision.check(problems);
    }

    @Override
    ControlAction action() {
        return new ControlAction.Approve(decision.epoch());
    }
}
