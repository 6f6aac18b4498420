package dev.plimsoll.app.command;

import dev.plimsoll.app.chaos.DecisionGoal;
import dev.plimsoll.app.chaos.DecisionReport;
import dev.plimsoll.app.chaos.DecisionRun;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Faults at chosen phases of decisions. */
@Command(
        name = "decisions",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Force one decision after the other, break something at a chosen phase of them, then audit all of them.",
            "",
            "16 simulated ranks in four processes that know of each other by address only, a worker beside each, an"
                    + " aggregator, two planners and a broker run in processes of their own. The planners pass experts around"
                    + " whether or not it pays. Faults come one after the other, drawn from a seed, each when a decision is"
                    + " seen in the phase that was drawn (after PROPOSE, after the first ACCEPTED, after PERMIT, between"
                    + " batches, before SETTLED, while ABORTING): kill -9 of ranks, workers, the aggregator, the planner and the"
                    + " broker, SIGSTOP of the planner that decides and of ranks, connections for gathers or for weights that"
                    + " are cut, and workers and planners that begin again with a wrong clock. Ranks that lose others serve on"
                    + " alone, until those that are left, or all, begin anew. After each fault, a decision must settle.",
            "",
            "misrouted: tokens that met the weights of another expert; the ranks check every one.",
            "mapSkew: ranks that computed under different placements between the same two boundaries.",
            "lost: decisions without an end, with two, or with one that the acks of ranks do not bear out; commands of a"
                    + " planner that was replaced.",
            "uncovered: experts that no slot holds in a settled placement.",
            "stuck: no decision settled within two minutes of the end of a fault.",
            "stranded: processes of ranks that lost others and did not serve on, though none of their ranks had to leave.",
            ""
        },
        footer = {
            "",
            "Exit codes: 0 all is well, 1 a process ended by itself, 7 one of the above is not 0. Then what all"
                    + " processes printed is kept."
        })
public final class ChaosDecisionsCommand implements Callable<Integer>, Validated {
    private static final Duration USUAL = Duration.ofMinutes(30);

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            description =
                    "How long faults happen, from the first decision on (default: 30m, or no limit with --until).")
    @Nullable
    private Duration time;

    @Option(
            names = "--until",
            paramLabel = "COUNT=N",
            split = ",",
            description = "End when so many have been, of decisions, crashes, failovers, aborted and rollbacks, such as"
                    + " decisions=1000,crashes=100. decisions=N alone asks for N/10 crashes, N/20 failovers, N/10 aborted"
                    + " and N/50 rollbacks too. What lags behind the decisions is brought on by every third fault.")
    private Map<String, Integer> counts = new LinkedHashMap<>();

    @Mixin
    private ChaosOptions chaos = new ChaosOptions();

    @Override
    public void check(Problems problems) {
        chaos.check(problems);
        problems.require(time == null || !(time.isZero() || time.isNegative()), "--for must be longer than 0");
        try {
            goal();
        } catch (IllegalArgumentException e) {
            problems.add("--until: ", e);
        }
    }

    private DecisionGoal goal() {
        return new DecisionGoal(
                Optional.ofNullable(time).or(() -> counts.isEmpty() ? Optional.of(USUAL) : Optional.empty()), counts);
    }

    @Override
    public Integer call() throws Exception {
        return chaos.run((lifecycle, logs, lines) -> {
            DecisionReport report =
                    new DecisionRun(lifecycle, chaos.seed(), goal(), logs, lines::println, System.err::println).go();
            return new ChaosOptions.Outcome(report.clean(), !report.problems().isEmpty(), report.text(), report.json());
        });
    }
}
