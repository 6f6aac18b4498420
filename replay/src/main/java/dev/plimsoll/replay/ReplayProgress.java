package dev.plimsoll.replay;

import java.time.Duration;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** How far a replay is and how long it will still take: a line every second, none when it is over within the first. */
public final class ReplayProgress {
    private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final OptionalInt of;
    private final Consumer<String> lines;
    private final long began = System.nanoTime();
    private long last = began;

    /** @param of about how many windows there are */
    public ReplayProgress(OptionalInt of, Consumer<String> lines) {
        this.of = of;
        this.lines = lines;
    }

    /** So many windows have gone by. */
    public void at(int windows) {
        long now = System.nanoTime();
        if (now - last < EVERY_NANOS) {
            return;
        }
        last = now;
        double perSecond = windows / ((now - began) / 1e9);
        String left = perSecond > 0 && of.isPresent() && of.getAsInt() >= windows
                ? String.format(
                        Locale.ROOT,
                        " of %d, about %d s left",
                        of.getAsInt(),
                        Math.round((of.getAsInt() - windows) / perSecond))
                : "";
        lines.accept(String.format(Locale.ROOT, "%d windows%s, %.1f/s", windows, left, perSecond));
    }

    public Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - began);
    }
}
