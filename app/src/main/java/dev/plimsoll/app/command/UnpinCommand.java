package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Ends a pin. */
@Command(
        name = "unpin",
        description = {"Let an expert leave a rank again.", "Says what it would do, unless --execute is given."})
public final class UnpinCommand extends ControlCommand {
    @Mixin
    private PinOptions what = new PinOptions();

    @Override
    void checkAction(Problems problems) {
        what.check(problems);
    }

    @Override
    ControlAction action() {
        return new ControlAction.Unpin(what.layer(), what.expert(), what.rank());
    }
}
