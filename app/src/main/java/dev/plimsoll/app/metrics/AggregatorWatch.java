package dev.plimsoll.app.metrics;

import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.WindowSummary;
import io.micrometer.core.instrument.Tags;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * When samples and windows of each deployment were there last, and how much has come since: what is folded and leads to no window is a
 * fault, and an engine that stands still is none. Any thread.
 */
final class AggregatorWatch {
    /** A quorum may be some windows ahead of ranks that are waited for; after that they close without those. */
    private static final double MOST_DUE = 4;

    /** @param cells that came since the last window; {@code perWindow} is 0 before the first */
    private record Seen(OptionalLong sampleMillis, OptionalLong windowMillis, long cells, long perWindow) {
        static final Seen NOTHING = new Seen(OptionalLong.empty(), OptionalLong.empty(), 0, 0);

        double due() {
            return perWindow == 0 ? 0 : (double) cells / perWindow;
        }
    }

    private final Series series;
    private final InstantSource clock;
    private final Map<Deployment, Seen> seen = new TreeMap<>();

    AggregatorWatch(Series series, InstantSource clock) {
        this.series = series;
        this.clock = clock;
    }

    /** Cells that no window will ever have are no sign of life: those of a burnt incarnation, or of steps that began anew. */
    synchronized void sampled(Deployment deployment, Fate fate, long cells) {
        if (fate == Fate.ACCEPTED || fate == Fate.UNATTRIBUTED) {
            Seen before = seen.getOrDefault(deployment, Seen.NOTHING);
            tell(
                    deployment,
                    new Seen(
                            OptionalLong.of(clock.millis()),
                            before.windowMillis(),
                            before.cells() + cells,
                            before.perWindow()));
        }
    }

    synchronized void windowClosed(WindowSummary window) {
        Seen before = seen.getOrDefault(window.deployment(), Seen.NOTHING);
        long perWindow = (long) window.expected() * window.present().size();
        tell(window.deployment(), new Seen(before.sampleMillis(), OptionalLong.of(clock.millis()), 0, perWindow));
    }

    private void tell(Deployment deployment, Seen now) {
        seen.put(deployment, now);
        Tags tags = series.of(deployment);
        now.sampleMillis()
                .ifPresent(millis -> series.gauge(
                        "plimsoll.last.sample.timestamp.seconds",
                        "When a sample that a window can have was folded last.",
                        tags,
                        millis / 1e3));
        now.windowMillis()
                .ifPresent(millis -> series.gauge(
                        "plimsoll.last.window.timestamp.seconds", "When the last window closed.", tags, millis / 1e3));
        series.gauge(
                "plimsoll.windows.due",
                "What has been folded since the last window, in windows; 0 until there was one.",
                tags,
                now.due());
    }

    /** It has ended, or another aggregator tells of it. */
    synchronized void released(Deployment deployment) {
        seen.remove(deployment);
    }

    synchronized Stream<WatchLine> lines() {
        long now = clock.millis();
        return seen.entrySet().stream().map(of -> line(of.getKey(), of.getValue(), now)).toList().stream();
    }

    private static WatchLine line(Deployment deployment, Seen of, long now) {
        String text = String.format(
                Locale.ROOT,
                "sample %s, window %s, %.1f windows' worth of samples since",
                Ages.ago(of.sampleMillis(), now),
                Ages.ago(of.windowMillis(), now),
                of.due());
        return of.due() > MOST_DUE ? WatchLine.wrong(deployment, text, "NoWindows") : WatchLine.well(deployment, text);
    }
}
