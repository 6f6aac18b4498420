package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;

/** Frees a deployment. */
@Command(
        name = "void",
        description = {
            "End what cannot end by itself: a decision whose ranks do not say how far they got, a quarantine, or ranks"
                    + " that can only be observed.",
            "Says what it would do, unless --execute is given."
        })
public final class DeploymentVoidCommand extends ControlCommand {
    @Override
    ControlAction action() {
        return new ControlAction.Void();
    }
}
