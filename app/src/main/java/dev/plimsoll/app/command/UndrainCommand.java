package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.RankId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Ends a drain. */
@Command(
        name = "undrain",
        description = {"Let a rank be needed again.", "Says what it would do, unless --execute is given."})
public final class UndrainCommand extends ControlCommand {
    @Option(names = "--rank", paramLabel = "R", required = true, description = "The rank, counted from 0.")
    @Nullable
    private Integer rank;

    @Override
    void checkAction(Problems problems) {
        problems.require(rank != null && rank >= 0, "--rank is missing or below 0: name a rank, counted from 0");
    }

    @Override
    ControlAction action() {
        return new ControlAction.Undrain(new RankId(Objects.requireNonNull(rank)));
    }
}
