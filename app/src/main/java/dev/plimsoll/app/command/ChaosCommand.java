package dev.plimsoll.app.command;

import dev.plimsoll.app.chaos.ChaosReport;
import dev.plimsoll.app.chaos.ChaosRun;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Faults of real processes. */
@Command(
        name = "chaos",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        subcommands = ChaosDecisionsCommand.class,
        description = {
            "Kill, freeze and damage a cluster of its own, then check every window that it has published.",
            "",
            "Three Kafka brokers with three copies of everything, two aggregators, two collectors and a planner run in"
                    + " processes of their own, beside simulated ranks that know to the token what they computed. Faults come"
                    + " one after the other, drawn from a seed: kill -9 and SIGSTOP of aggregators and collectors, kill -9 of a"
                    + " broker and of the planner, a rolling restart of the brokers, a partition moved away and back, a state"
                    + " record overwritten and put back. One reader looks on meanwhile, another reads everything afterwards.",
            "",
            "duplicate: a window, or a layer of one, that was published twice.",
            "mismatch: a window whose sums are not what the ranks computed in the steps that it has, or a sample that"
                    + " tells other counts than the ranks.",
            "missing: a gap in the chain of windows that no RESYNC explains; a window that was read once and is gone;"
                    + " windows whose samples stand in the log and are neither in a window nor counted as left out.",
            "A collector that is killed may lose what it had not sent: windows then say GAP, and that is no fault.",
            ""
        },
        footer = {
            "",
            "Exit codes: 0 all is well, 1 a process ended by itself or windows did not come back in time, 7 a window was"
                    + " twice, lost or wrong, or a token misrouted. Then what all processes printed is kept."
        })
public final class ChaosCommand implements Callable<Integer>, Validated {
    @Option(
            names = "--for",
            paramLabel = "DURATION",
            defaultValue = "30m",
            description =
                    "How long faults happen, from the first windows on (default: ${DEFAULT-VALUE}). Starting before"
                            + " and checking behind take about half a minute.")
    private Duration time = Duration.ofMinutes(30);

    @Mixin
    private ChaosOptions chaos = new ChaosOptions();

    @Override
    public void check(Problems problems) {
        chaos.check(problems);
        problems.require(!time.isZero() && !time.isNegative(), "--for must be longer than 0");
    }

    @Override
    public Integer call() throws Exception {
        return chaos.run((lifecycle, logs, lines) -> {
            ChaosReport report = new ChaosRun(lifecycle, chaos.seed(), time, logs, lines::println).go();
            return new ChaosOptions.Outcome(report.clean(), !report.problems().isEmpty(), report.text(), report.json());
        });
    }
}
