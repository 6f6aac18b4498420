package dev.plimsoll.app.command;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.RankId;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a rank dispensable. */
@Command(
        name = "drain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Have every expert keep a copy on another rank than this, and leave its slots idle where the engine can.",
            "Says what it would do, unless --execute is given."
        })
public final class DrainCommand implements Callable<Integer>, Validated {
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
        return ControlRun.of(where, how, new ControlAction.Drain(new RankId(Objects.requireNonNull(rank))));
    }
}
