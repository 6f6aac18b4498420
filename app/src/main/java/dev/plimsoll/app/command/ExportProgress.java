package dev.plimsoll.app.command;

import dev.plimsoll.replay.export.Export;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Says how far an export is: nothing within the first second, then a line a second. */
final class ExportProgress implements Export.Watch {
    private static final long NOTICE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final PrintStream to;
    private final Runnable proceed;
    private long lastNanos = System.nanoTime();
    private String table = "";
    private long beganNanos = lastNanos;
    private long rows;
    private long allRows;

    /** @param proceed run for every record; throws when the export is to stop */
    ExportProgress(PrintStream to, Runnable proceed) {
        this.to = to;
        this.proceed = proceed;
    }

    void begin(String next) {
        table = next;
        beganNanos = System.nanoTime();
        lastNanos = beganNanos;
        rows = 0;
    }

    @Override
    public void wrote(long more) {
        proceed.run();
        rows += more;
        allRows += more;
        long now = System.nanoTime();
        if (now - lastNanos >= NOTICE_NANOS) {
            lastNanos = now;
            to.printf(Locale.ROOT, "%s: %,d rows so far%n", table, rows);
        }
    }

    /** The table is written. */
    void wrote(String place, long bytes) {
        double seconds = (System.nanoTime() - beganNanos) / 1e9;
        to.printf(
                Locale.ROOT,
                "%s: %,d rows%s in %.1f s to %s%n",
                table,
                rows,
                bytes == 0 ? "" : String.format(Locale.ROOT, ", %,d bytes,", bytes),
                seconds,
                place);
    }

    /** Of all tables. */
    long allRows() {
        return allRows;
    }
}
