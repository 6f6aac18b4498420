package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Decides for an earlier placement. */
@Command(
        name = "rollback",
        description = {
            "Decide for a placement that the deployment has had, past the gate: a new decision with a version of its"
                    + " own.",
            "Says what it would do, unless --execute is given."
        })
public final class RollbackCommand extends ControlCommand {
    @Option(
            names = "--to-version",
            paramLabel = "N",
            required = true,
            description =
                    "A version that this incarnation has had; 'decisions list' has them, 0 is the one of its start.")
    @Nullable
    private Integer version;

    @Override
    void checkAction(Problems problems) {
        problems.require(
                version != null && version >= 0,
                "--to-version is missing or below 0: name a version that 'decisions list' has as settled, or 0");
    }

    @Override
    ControlAction action() {
        return new ControlAction.Rollback(Objects.requireNonNull(version));
    }
}
