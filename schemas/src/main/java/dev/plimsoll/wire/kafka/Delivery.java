package dev.plimsoll.wire.kafka;

import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/**
 * Whether what a role writes arrives: as of the last write that was answered, and if not, since when. Any thread.
 *
 * <p>That a cluster is away is for {@link KafkaContact} to tell; here it counts only what else keeps records from arriving.
 */
public final class Delivery {
    private final InstantSource clock;
    private final AtomicReference<@Nullable Instant> failingSince = new AtomicReference<>();
    private final AtomicBoolean told = new AtomicBoolean();

    public Delivery(InstantSource clock) {
        this.clock = clock;
    }

    /** A write arrived. */
    public void arrived() {
        failingSince.set(null);
        told.set(false);
    }

    /** What is to be written cannot even be tried, for it comes faster than it goes. */
    public void failed() {
        failingSince.compareAndSet(null, clock.instant());
    }

    /**
     * A write did not arrive.
     *
     * @return whether people should be told: once until a write arrives, of what is no matter of a cluster that is away
     */
    public boolean failed(Throwable why) {
        failed();
        return !(why instanceof RetriableException)
                && !(why instanceof RejectedExecutionException)
                && told.compareAndSet(false, true);
    }

    /** Since when writes fail; empty while they arrive, or nothing was written yet. */
    public Optional<Instant> failingSince() {
        return Optional.ofNullable(failingSince.get());
    }
}
