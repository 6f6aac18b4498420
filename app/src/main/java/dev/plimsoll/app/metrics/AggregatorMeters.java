package dev.plimsoll.app.metrics;

import static dev.plimsoll.app.metrics.Series.word;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.Arrays;

/** What an aggregator tells, as meters. */
final class AggregatorMeters implements AggregatorListener {
    private static final String WINDOWS = "plimsoll.windows";
    private static final String WINDOWS_HELP = "Windows closed.";
    private static final String REJECTED = "plimsoll.records.rejected";
    private static final String REJECTED_HELP =
            "Records of the samples topic that are no samples and could not be used.";
    private static final String LOST = "plimsoll.input.losses";
    private static final String LOST_HELP = "Times that samples were deleted before they were folded.";

    private static final String JUMPS = "plimsoll.windows.jumps";
    private static final String JUMPS_HELP = "Times that a quorum reported from elsewhere and the windows followed.";

    private static final String LEFT_OUT = "plimsoll.quarantine.left.out";
    private static final String LEFT_OUT_HELP = "Unreadable records that came in a flood and were counted only.";

    private final Series series;
    private final AggregatorWatch watch;

    AggregatorMeters(Series series, AggregatorWatch watch) {
        this.series = series;
        this.watch = watch;
        for (Fate fate : Fate.values()) {
            if (fate.rejected()) {
                series.counter(REJECTED, REJECTED_HELP, Tags.of("reason", word(fate)));
            }
        }
        series.counter(LOST, LOST_HELP);
        series.unreadable(Topic.SAMPLES.name(), 0);
        series.counter(LEFT_OUT, LEFT_OUT_HELP);
        series.resets("aggregator", 0);
        series.quarantined("aggregator", 0);
    }

    @Override
    public void windowClosed(WindowSummary window) {
        Tags tags = series.of(window.deployment());
        series.zero(WINDOWS, WINDOWS_HELP, tags, "completeness", CloseReason.class);
        series.counter(WINDOWS, WINDOWS_HELP, tags.and("completeness", word(window.reason())))
                .increment();
        series.counter(JUMPS, JUMPS_HELP, tags);
        series.counter("plimsoll.samples.late", "Samples behind the first open window.", tags)
                .increment(window.late());
        series.counter("plimsoll.load.unattributed", "Load that spanned a border or a flip.", tags)
                .increment(window.unattributed());
        series.counter("plimsoll.windows.unconserved", "Windows in which tokens computed and routed differ.", tags)
                .increment(window.conservation().violated() ? 1 : 0);
        series.counter(
                        "plimsoll.windows.uncompared",
                        "Windows in which not all tokens computed could be compared with those routed.",
                        tags)
                .increment(window.conservation().equals(Conservation.UNKNOWN) ? 1 : 0);
        if (window.reason() == CloseReason.INCARNATION) {
            // The incarnation's last windows; what they say holds no more.
            released(window.deployment());
            return;
        }
        series.gauge(
                "plimsoll.window.completeness.ratio", "Cells present of those expected.", tags, window.completeness());
        series.set(
                "plimsoll.window.missing.ranks", "Ranks of which the last window has nothing.", tags, missing(window));
        if (window.balance().loaded()) {
            String help = "Mean rank load over max rank load, as measured; over layers.";
            series.gauge(
                    "plimsoll.balancedness.ratio",
                    help,
                    tags.and("stat", "mean"),
                    window.balance().mean());
            series.gauge(
                    "plimsoll.balancedness.ratio",
                    help,
                    tags.and("stat", "min"),
                    window.balance().min());
        }
        window.stepTime().ifPresent(time -> stepTime(window, time, tags));
        watch.windowClosed(window);
    }

    private void stepTime(WindowSummary window, StepTime time, Tags tags) {
        int boundarySteps = window.boundarySteps();
        String help = "Time of a step on the slowest rank in the last window.";
        series.gauge(
                "plimsoll.step.time.seconds", help, tags.and("stat", "mean"), time.stepMicros(boundarySteps) / 1e6);
        series.gauge(
                "plimsoll.step.time.seconds",
                help,
                tags.and("stat", "lowest_decile"),
                time.undisturbedStepMicros(boundarySteps) / 1e6);
        double idle = sum(time.idleNanos());
        double all = idle + sum(time.elapsedNanos());
        series.gauge(
                "plimsoll.idle.ratio",
                "Part of the last window's time in which no step ran, as engines say.",
                tags,
                all > 0 ? idle / all : 0);
    }

    /** As a number that cannot overflow. */
    private static double sum(LongVector nanos) {
        double sum = 0;
        for (int rank = 0; rank < nanos.size(); rank++) {
            sum += nanos.at(rank);
        }
        return sum;
    }

    @Override
    public void released(Deployment deployment) {
        watch.released(deployment);
        series.release(deployment);
    }

    private static long missing(WindowSummary window) {
        return Arrays.stream(window.present().toArray())
                .filter(cells -> cells == 0)
                .count();
    }

    /** Anybody can name a deployment in a record; only those that have a membership get series of their own. */
    @Override
    public void fate(Deployment deployment, Fate fate, long cells, long load) {
        if (cells > 0) {
            Tags tags = fate == Fate.UNKNOWN_DEPLOYMENT ? Series.UNKNOWN : series.of(deployment);
            series.counter(
                            "plimsoll.cells.received",
                            "Ranks' parts of samples, by what became of them.",
                            tags.and("fate", word(fate)))
                    .increment(cells);
            watch.sampled(deployment, fate, cells);
            if (load > 0 && unused(fate)) {
                series.counter(
                                "plimsoll.load.unused",
                                "Load of cells that no window counts, by what became of them.",
                                tags.and("fate", word(fate)))
                        .increment(load);
            }
        } else {
            series.counter(REJECTED, REJECTED_HELP, Tags.of("reason", word(fate)))
                    .increment();
        }
    }

    /** What is in no window, nor beside one as unattributed, nor known already. */
    private static boolean unused(Fate fate) {
        return fate != Fate.ACCEPTED && fate != Fate.UNATTRIBUTED && fate != Fate.DUPLICATE;
    }

    @Override
    public void jumped(Deployment deployment, long fromWindow, long toWindow) {
        series.counter(JUMPS, JUMPS_HELP, series.of(deployment)).increment();
    }

    @Override
    public void inputLost(int partition, long neededOffset, long firstOffset) {
        series.counter(LOST, LOST_HELP).increment();
    }

    @Override
    public void unreadable(Quarantined record) {
        series.unreadable(record.topic(), 1);
    }

    @Override
    public void leftOut(Quarantined record) {
        series.counter(LEFT_OUT, LEFT_OUT_HELP).increment();
    }

    @Override
    public void committed(int partition, int outputs, Duration took) {
        series.timer(
                        "plimsoll.commit.duration",
                        "Transactions, from begin to commit.",
                        Tags.of("role", "aggregator"),
                        Series.SHORT)
                .record(took);
    }

    @Override
    public void reset(int partition, Throwable cause) {
        series.resets("aggregator", 1);
    }

    @Override
    public void quarantined(int partition, Throwable cause) {
        series.quarantined("aggregator", 1);
    }
}
