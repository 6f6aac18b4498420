package dev.plimsoll.wire.kafka;

import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Whether what a role writes arrives: as of the last write that was answered, and if not, since when. Any thread.
 *
 * <p>Of two threads that tell of a change at once, one is told that it was the first.
 */
public final class Delivery {
    private final InstantSource clock;
    private final AtomicReference<@Nullable Instant> failingSince = new AtomicReference<>();

    public Delivery(InstantSource clock) {
        this.clock = clock;
    }

    /** A write arrived; since when none had, if this is the first to arrive again. */
    public Optional<Instant> arrived() {
        return Optional.ofNullable(failingSince.getAndSet(null));
    }

    /** A write did not arrive; true for the first one. */
    public boolean failed() {
        return failingSince.compareAndSet(null, clock.instant());
    }

    /** Since when writes fail; empty while they arrive, or nothing was written yet. */
    public Optional<Instant> failingSince() {
        return Optional.ofNullable(failingSince.get());
    }
}
