package dev.plimsoll.app.command;

import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;

/** Says how far something is: one line a second at most, and none when it is over within the first. Any thread. */
final class NoticeLine {
    private static final long NANOS = TimeUnit.SECONDS.toNanos(1);

    private long last = System.nanoTime();

    synchronized void say(PrintWriter err, String line) {
        long now = System.nanoTime();
        if (now - last >= NANOS) {
            last = now;
            err.println(line);
            err.flush();
        }
    }
}
