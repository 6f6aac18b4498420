package dev.plimsoll.aggregator.window;

import java.time.Duration;

/**
 * When windows close without everybody, and what the fold remembers at most. How long a window is stands in the membership record.
 *
 * <p>Windows are a function of the log <em>and</em> of these settings: change them between incarnations.
 *
 * @param quorumPercent ranks that have to pass a window's end before it may close without the others; never fewer than a majority
 * @param gracePercent how far beyond the window's end a quorum has to be to close it, in percent of a window's steps
 * @param graceTime how long after a quorum passed its end a window closes, in append time
 * @param windowsAhead how many windows a sample may be ahead of the first open one; bounds memory
 * @param subWindows most equal parts of a window that are summed on their own, 1..16
 * @param rememberedRejects most samples per deployment that were rejected, but might fit by now, and have to be remembered as such
 * @param idleTime how long nothing may come for an open window before all that are open close, in append time; a record in the second half
 *     of it has to show that time went on
 * @param resyncTime how long a quorum has to report from elsewhere before the fold follows, in append time
 * @param resyncRecords so many samples of each of its ranks, in ascending steps, are as good as that time: what collectors have held back
 *     during an outage comes at once
 * @param silentTime how long a window may not grow, although ranks are past its end, before it closes without those that are not, in
 *     append time; they are not waited for until they report again
 * @param openBytes most memory of one deployment's open windows; samples beyond it are refused
 */
public record WindowSettings(
        int quorumPercent,
        int gracePercent,
        Duration graceTime,
        int windowsAhead,
        int subWindows,
        int rememberedRejects,
        Duration idleTime,
        Duration resyncTime,
        int resyncRecords,
        Duration silentTime,
        long openBytes) {
    public static final WindowSettings DEFAULT = new WindowSettings(
            90,
            50,
            Duration.ofSeconds(5),
            8,
            8,
            4096,
            Duration.ofMinutes(1),
            Duration.ofSeconds(5),
            16,
            Duration.ofSeconds(15),
            512L << 20);

    public WindowSettings {
        require(quorumPercent >= 1 && quorumPercent <= 100, "quorumPercent", quorumPercent, "1..100");
        require(windowsAhead >= 1 && windowsAhead <= 64, "windowsAhead", windowsAhead, "1..64");
        require(
                gracePercent >= 0 && gracePercent <= 100 * windowsAhead,
                "gracePercent",
                gracePercent,
                "0.." + 100 * windowsAhead + ", as samples further ahead are not accepted");
        require(!graceTime.isNegative(), "graceTime", graceTime, "0 or more");
        require(subWindows >= 1 && subWindows <= 16, "subWindows", subWindows, "1..16");
        require(rememberedRejects >= 1, "rememberedRejects", rememberedRejects, "1 or more");
        require(idleTime.toMillis() >= 1, "idleTime", idleTime, "1 ms or more");
        require(!resyncTime.isNegative(), "resyncTime", resyncTime, "0 or more");
        require(resyncRecords >= 2, "resyncRecords", resyncRecords, "2 or more");
        require(silentTime.toMillis() >= 1, "silentTime", silentTime, "1 ms or more");
        require(openBytes >= 1, "openBytes", openBytes, "1 or more");
    }

    private static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new IllegalArgumentException(name + " " + value + " must be in " + range);
        }
    }

    /** Ranks that decide for all. */
    int quorum(int ranks) {
        return Math.max(ranks / 2 + 1, (int) (((long) ranks * quorumPercent + 99) / 100));
    }

    /** Ranks of which at least one can be believed, if no more are wrong than a quorum can do without. */
    int enough(int ranks) {
        return ranks - quorum(ranks) + 1;
    }

    long graceSteps(int windowSteps) {
        return (long) windowSteps * gracePercent / 100;
    }

    /** The largest number of parts, up to the one that is set, that cuts a window at boundaries into equal parts. */
    int subWindows(int boundariesPerWindow) {
        int parts = Math.min(subWindows, boundariesPerWindow);
        while (boundariesPerWindow % parts != 0) {
            parts--;
        }
        return parts;
    }
}
