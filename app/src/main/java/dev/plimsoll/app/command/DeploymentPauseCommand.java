package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;

/** Keeps a planner from deciding. */
@Command(
        name = "pause",
        description = {
            "Make no new decisions for a deployment, until it is resumed; what is in flight goes on.",
            "Says what it would do, unless --execute is given."
        })
public final class DeploymentPauseCommand extends ControlCommand {
    @Override
    ControlAction action() {
        return new ControlAction.Pause();
    }
}
