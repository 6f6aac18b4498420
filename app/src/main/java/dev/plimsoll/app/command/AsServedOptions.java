package dev.plimsoll.app.command;

import dev.plimsoll.replay.AsServedReport;
import dev.plimsoll.replay.AsServedRuns;
import dev.plimsoll.replay.PolicyChoice;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.PeerScores;
import dev.plimsoll.replay.score.PlannerBenchRuns;
import dev.plimsoll.replay.score.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of {@code bench planner --as-served}. */
final class AsServedOptions {
    /** A step of a workload, as replay takes it where a source has no times. */
    private static final Duration STEP = Duration.ofMillis(50);

    @Option(
            names = "--as-served",
            description =
                    "Serve the workload as the planner would: a plan from window t is flipped during t + 1, with gate,"
                            + " cooldown and what earlier decisions have taught; all windows count. Beside the settings of today stand"
                            + " those from before decisions were measured on the same tokens.")
    private boolean wanted;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            split = ",",
            description = "With --as-served: planner settings to serve with, such as minimum-gain=0.02.")
    private List<String> set = new ArrayList<>();

    @Option(
            names = "--bytes-per-expert",
            paramLabel = "BYTES",
            description = "With --as-served: weights of an expert (default: moves cost the gate flips alone).")
    @Nullable
    private Long bytesPerExpert;

    boolean wanted() {
        return wanted;
    }

    /** @param policies that were asked for */
    void check(List<String> policies, Problems problems) {
        if (!wanted) {
            problems.require(
                    set.isEmpty() && bytesPerExpert == null, "--set and --bytes-per-expert are for --as-served");
            return;
        }
        problems.require(
                bytesPerExpert == null || bytesPerExpert > 0,
                "--bytes-per-expert must be at least 1, not " + bytesPerExpert);
        try {
            choices(policies);
        } catch (IllegalArgumentException e) {
            problems.add("--set: ", e);
        }
    }

    private List<PolicyChoice> choices(List<String> policies) {
        List<PolicyChoice> choices = new ArrayList<>();
        for (String policy : policies) {
            choices.add(PolicyChoice.parse(set.isEmpty() ? policy : policy + ":" + String.join(",", set)));
            choices.add(new PolicyChoice(
                    policy + " before",
                    PolicyChoice.parse(policy + AsServedRuns.BEFORE).settings()));
        }
        return choices;
    }

    /** All workloads in one configuration. */
    AsServedReport serve(
            Path workload, EpConfiguration configuration, List<String> policies, int threads, Consumer<String> progress)
            throws Exception {
        return runs(policies, threads, progress)
                .of(Workload.files(workload).stream()
                        .map(file -> new AsServedRuns.Run(file, configuration))
                        .toList());
    }

    /** All that the public planners were run on. */
    AsServedReport serve(Path workload, Path peers, List<String> policies, int threads, Consumer<String> progress)
            throws Exception {
        List<AsServedRuns.Run> all = new ArrayList<>();
        for (PeerScores.Run run : runsOf(workload, peers)) {
            Path file = Files.isDirectory(workload) ? workload.resolve(run.workload()) : workload;
            all.add(new AsServedRuns.Run(file, run.configuration()));
        }
        return runs(policies, threads, progress).of(all);
    }

    private static List<PeerScores.Run> runsOf(Path workload, Path peers) throws IOException {
        return PlannerBenchRuns.on(workload, PeerScores.read(peers));
    }

    private AsServedRuns runs(List<String> policies, int threads, Consumer<String> progress) {
        return new AsServedRuns(
                choices(policies),
                STEP,
                bytesPerExpert == null ? OptionalLong.empty() : OptionalLong.of(bytesPerExpert),
                threads,
                progress);
    }
}
