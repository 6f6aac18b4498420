package dev.plimsoll.replay;

import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.score.EpConfiguration;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Serves a workload by one policy with gate, cooldown and measurement as the planner has them: a plan from window t is flipped during
 * window t + 1, one batch at the end of each of its sub-samples. All windows count, those of the flips too.
 */
public final class AsServedBench {
    private AsServedBench() {}

    /**
     * What it comes to; depends on nothing but the arguments.
     *
     * @param stepTime of a step, which a sub-sample of the workload is taken for
     * @param bytesPerExpert weights of an expert; empty: moves cost the gate flips alone
     * @throws IOException when the file cannot be read, or is none
     */
    public static AsServedScores run(
            Path workload,
            EpConfiguration configuration,
            PolicyChoice choice,
            Duration stepTime,
            OptionalLong bytesPerExpert)
            throws IOException {
        FileLayout layout = new FileLayout(
                OptionalInt.of(configuration.ranks()), OptionalInt.of(configuration.nodes()), bytesPerExpert);
        try (History history = WorkloadHistory.open(workload, layout, Given.NOTHING)) {
            RunSpec spec = RunSpec.of(List.of(choice), List.of(configuration), history.members(), history.placement())
                    .get(0);
            try (PolicyReplay replay = new PolicyReplay(
                    spec, Policy.named(choice.settings().policy()), 1, history.expertBytesKnown(), 0)) {
                for (Optional<HistoryWindow> window = history.next(); window.isPresent(); window = history.next()) {
                    if (Thread.currentThread().isInterrupted()) {
                        throw new IllegalStateException("stopped before the end: there is no result");
                    }
                    replay.window(
                            window.orElseThrow(),
                            window.orElseThrow().facts().lastStep() * Math.max(1, stepTime.toMillis()));
                }
                return AsServedScores.of(replay.result(0, Map.of()), replay.outcomes());
            }
        }
    }
}
