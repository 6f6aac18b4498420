package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Keeps an expert on a rank. */
@Command(
        name = "pin",
        description = {
            "Have an expert keep a slot on a rank in every further placement.",
            "Says what it would do, unless --execute is given."
        })
public final class PinCommand extends ControlCommand {
    @Mixin
    private PinOptions what = new PinOptions();

    @Override
    void checkAction(Problems problems) {
        what.check(problems);
    }

    @Override
    ControlAction action() {
        return new ControlAction.Pin(what.layer(), what.expert(), what.rank());
    }
}
