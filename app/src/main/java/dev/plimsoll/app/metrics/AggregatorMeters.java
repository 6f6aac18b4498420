package dev.plimsoll.app.metrics;

import static dev.plimsoll.app.metrics.Series.word;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.WindowSummary;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;

/** What an aggregator tells, as meters. */
final class AggregatorMeters implements AggregatorListener {
    private final Series series;

    AggregatorMeters(Series series) {
        this.series = series;
    }

    @Override
    public void windowClosed(WindowSummary window) {
        Tags tags = series.of(window.deployment());
        series.counter("plimsoll.windows", "Windows closed.", tags.and("completeness", word(window.reason())))
                .increment();
        series.counter("plimsoll.samples.late", "Samples behind the first open window.", tags)
                .increment(window.late());
        series.counter("plimsoll.load.unattributed", "Load that spanned a border or a flip.", tags)
                .increment(window.unattributed());
        if (!window.conserved()) {
            series.counter("plimsoll.windows.unconserved", "Windows in which tokens computed and routed differ.", tags)
                    .increment();
        }
        series.gauge(
                "plimsoll.window.completeness.ratio", "Cells present of those expected.", tags, window.completeness());
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
        series.now("plimsoll.last.window.timestamp.seconds", "When the last window closed.", tags);
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
        } else {
            series.counter(
                            "plimsoll.records.rejected",
                            "Records of the samples topic that are no samples and could not be used.",
                            Tags.of("reason", word(fate)))
                    .increment();
        }
    }

    @Override
    public void unreadable(Quarantined record) {
        series.counter(
                        "plimsoll.quarantined.records",
                        "Records that could not be read.",
                        Tags.of("topic", record.topic()))
                .increment();
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
        series.resets("aggregator");
    }
}
