package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.RankId;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Ends a drain. */
@Command(
        name = "undrain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {"Let a rank be needed again.", "Says what it would do, unless --execute is given."})
public final class UndrainCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Option(names = "--rank", paramLabel = "R", required = true, description = "The rank, counted from 0.")
    @Nullable
    private Integer rank;

    @Mixin
    private ControlOptions how = new ControlOptions();

    @Override
    public void check(Problems problems) {
        where.check(problems);
        problems.require(rank != null && rank >= 0, "--rank is missing or below 0: name a rank, counted from 0");
        how.check(problems);
    }

    @Override
    public Integer call() {
        return ControlRun.of(where, how, new ControlAction.Undrain(new RankId(Objects.requireNonNull(rank))));
    }
}
