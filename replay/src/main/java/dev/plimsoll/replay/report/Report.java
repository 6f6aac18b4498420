package dev.plimsoll.replay.report;

import dev.plimsoll.replay.result.ReplayResult;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * What a replay found, as one HTML file for people: it holds its scripts, styles and data, opens from disk, and its policy forbids it
 * to connect to anything. How it is read, and how its data is laid out, says {@code docs/report.md}.
 *
 * <p>A function of the result: equal results give equal bytes. At most {@value #MOST_BYTES} bytes, unless what must be said of the runs
 * is more by itself; matrices that have no room are left out and counted.
 */
public final class Report {
    /** What a day of windows of the largest models must fit into. */
    public static final int MOST_BYTES = 5_000_000;

    private Report() {}

    /** The page; written as UTF-8. */
    public static String html(ReplayResult result) {
        return html(result, Assets.own());
    }

    /** Writes the page as UTF-8; does not close the stream. */
    public static void write(ReplayResult result, OutputStream to) throws IOException {
        to.write(html(result).getBytes(StandardCharsets.UTF_8));
    }

    static String html(ReplayResult result, Assets assets) {
        Standings standings = Standings.of(result);
        return new Page(result, standings, assets).html(MOST_BYTES);
    }
}
