package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * What a run tells people while it goes on, with the seconds since it began, and what it has found to be wrong; and how it waits.
 *
 * <p>Any thread.
 */
final class Chronicle {
    private static final Duration LOOK = Duration.ofMillis(10);

    private final Lifecycle lifecycle;
    private final Consumer<String> lines;
    private final List<String> problems = new CopyOnWriteArrayList<>();
    private final long began = System.nanoTime();

    Chronicle(Lifecycle lifecycle, Consumer<String> lines) {
        this.lifecycle = lifecycle;
        this.lines = lines;
    }

    void tell(String what) {
        lines.accept(String.format(Locale.ROOT, "%7.1f s  %s", seconds(), what));
    }

    /** Something that must not be; nothing counts any more once a stop was requested. */
    void problem(String what) {
        if (!lifecycle.stopRequested()) {
            problems.add(what);
            tell("PROBLEM: " + what);
        }
    }

    List<String> problems() {
        return List.copyOf(problems);
    }

    double seconds() {
        return (System.nanoTime() - began) / 1e9;
    }

    /**
     * Waits for something.
     *
     * @return whether it came in time
     * @throws Lifecycle.Stopped when the whole run is stopped
     */
    boolean await(Duration longest, BooleanSupplier condition) throws InterruptedException {
        return await(lifecycle, longest, condition);
    }

    static boolean await(Lifecycle lifecycle, Duration longest, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            if (lifecycle.await(LOOK)) {
                lifecycle.proceed();
            }
        }
        return true;
    }

    /** Lets a time pass. */
    void pass(Duration time) throws InterruptedException {
        boolean unused = await(time, () -> false);
    }
}
