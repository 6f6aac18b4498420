package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;

/** Ends a pause. */
@Command(
        name = "resume",
        description = {"Let decisions be made again.", "Says what it would do, unless --execute is given."})
public final class DeploymentResumeCommand extends ControlCommand {
    @Override
    ControlAction action() {
        return new ControlAction.Resume();
    }
}
