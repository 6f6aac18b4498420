package dev.plimsoll.app.watch;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;

/**
 * Whether the ranks keep the pace that was asked for: a machine that is too slow makes steps rarer, windows later and rates lower,
 * which nobody can see who does not know what they should be. One thread.
 */
public final class PaceWatch {
    /** Over so long the pace is measured, and missed before it is said. */
    static final Duration STRETCH = Duration.ofSeconds(3);

    private static final double KEPT = 0.9;

    private record Reading(long nanos, long steps) {}

    private final double asked;
    private final int windowSteps;
    private final Deque<Reading> readings = new ArrayDeque<>();
    private boolean said;

    /**
     * @param asked steps per second, 0 for as many as there can be
     * @param windowSteps W
     */
    public PaceWatch(double asked, int windowSteps) {
        this.asked = asked;
        this.windowSteps = windowSteps;
    }

    /** When the first window is to be expected, in words, before anything has run. */
    public String announcement() {
        return "the first window closes after " + windowSteps + " steps"
                + (asked == 0
                        ? ""
                        : String.format(Locale.ROOT, ", in %.1f s at %s steps/s", windowSteps / asked, rate(asked)));
    }

    /**
     * Notes how many steps were done after so long.
     *
     * @return what to say, the first time that the pace is missed
     */
    public Optional<String> at(Duration running, long steps) {
        readings.addLast(new Reading(running.toNanos(), steps));
        boolean whole = running.compareTo(STRETCH) >= 0;
        while (readings.size() > 2
                && secondReading().nanos() <= running.minus(STRETCH).toNanos()) {
            readings.removeFirst();
        }
        if (said || !whole || asked == 0 || reached() >= KEPT * asked) {
            return Optional.empty();
        }
        said = true;
        String missed = this + ": this machine is too slow for more";
        if (reached() <= 0) {
            return Optional.of(missed);
        }
        return Optional.of(missed
                + String.format(
                        Locale.ROOT,
                        steps < windowSteps
                                ? ", the first window closes in about %.0f s"
                                : ", a window takes about %.0f s",
                        (steps < windowSteps ? windowSteps - steps : windowSteps) / reached()));
    }

    private Reading secondReading() {
        return readings.stream().skip(1).findFirst().orElseThrow();
    }

    /** Steps per second over the last stretch. */
    public double reached() {
        if (readings.size() < 2) {
            return 0;
        }
        Reading first = readings.getFirst();
        Reading last = readings.getLast();
        return (last.steps() - first.steps()) * 1e9 / Math.max(1, last.nanos() - first.nanos());
    }

    /** Such as {@code 103 of 200 steps/s}. */
    @Override
    public String toString() {
        return rate(reached()) + (asked == 0 ? "" : " of " + rate(asked)) + " steps/s";
    }

    private static String rate(double stepsPerSecond) {
        return stepsPerSecond >= 10 || stepsPerSecond == Math.rint(stepsPerSecond)
                ? String.format(Locale.ROOT, "%,.0f", stepsPerSecond)
                : String.format(Locale.ROOT, "%.1f", stepsPerSecond);
    }
}
