package dev.plimsoll.wire.kafka;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * When to try again, and whether a failure is news: waits from 0.1 to 5 s that double, with jitter. Starts over only after 10 s
 * without failure, so that what breaks right after every recovery is not tried in a hurry.
 */
final class Backoff {
    private static final long FIRST_NANOS = Duration.ofMillis(100).toNanos();
    private static final long LONGEST_NANOS = Duration.ofSeconds(5).toNanos();
    private static final long FORGIVEN_NANOS = Duration.ofSeconds(10).toNanos();

    private final LoopClock clock;
    private int failures;
    private long lastFailureNanos;
    private long untilNanos;
    private boolean failing;
    private @Nullable String lastDescription;

    Backoff(LoopClock clock) {
        this.clock = clock;
    }

    boolean over() {
        return !failing || clock.nanoTime() - untilNanos >= 0;
    }

    /** Whether something has failed and not succeeded since, even where the wait is over. */
    boolean failing() {
        return failing;
    }

    long leftNanos() {
        return over() ? 0 : untilNanos - clock.nanoTime();
    }

    /** Begins another wait; returns whether this failure is worth a line in the log. */
    boolean failed(Throwable failure) {
        long now = clock.nanoTime();
        if (now - lastFailureNanos > FORGIVEN_NANOS + LONGEST_NANOS) {
            failures = 0;
        }
        failures++;
        lastFailureNanos = now;
        long wait = Math.min(LONGEST_NANOS, FIRST_NANOS << Math.min(failures - 1, 10));
        untilNanos = now + wait / 2 + clock.jitter(wait / 2);
        failing = true;
        String description = failure.getClass().getName();
        boolean news = !description.equals(lastDescription);
        lastDescription = description;
        return news;
    }

    /** Begins a wait of this length; returns whether this failure is worth a line in the log. */
    boolean failed(Throwable failure, Duration wait) {
        boolean news = failed(failure);
        untilNanos = clock.nanoTime() + wait.toNanos();
        return news;
    }

    /** It works; {@code ifFailing} runs when it did not before. */
    void succeeded(Runnable ifFailing) {
        if (failing) {
            failing = false;
            lastDescription = null;
            ifFailing.run();
        }
    }
}
