package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.model.Deployment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/**
 * How long it takes from a fault until every deployment has a new window: one whose closing record was appended after the fault, seen
 * by a reader of what is committed. So even where a fault touched nobody it is about as long as a window.
 *
 * <p>Any thread.
 */
final class Recoveries {
    static final Duration LONGEST = Duration.ofMinutes(2);

    private final Lifecycle lifecycle;
    private final WindowWatch watch;
    private final Collection<Deployment> deployments;
    private final List<Long> millis = Collections.synchronizedList(new ArrayList<>());

    Recoveries(Lifecycle lifecycle, WindowWatch watch, Collection<Deployment> deployments) {
        this.lifecycle = lifecycle;
        this.watch = watch;
        this.deployments = List.copyOf(deployments);
    }

    /** To be called right before a fault. */
    Recovery begin() {
        return new Recovery();
    }

    /**
     * Waits for something.
     *
     * @return whether it came in time
     * @throws Lifecycle.Stopped when the whole run is stopped
     */
    boolean await(Duration longest, BooleanSupplier condition) throws InterruptedException {
        return Chronicle.await(lifecycle, longest, condition);
    }

    /** The time that a share of all recoveries did not exceed (nearest rank), empty when there were none. */
    OptionalLong quantile(double share) {
        synchronized (millis) {
            if (millis.isEmpty()) {
                return OptionalLong.empty();
            }
            List<Long> sorted = millis.stream().sorted().toList();
            int rank = (int) Math.ceil(share * sorted.size());
            return OptionalLong.of(sorted.get(Math.max(0, rank - 1)));
        }
    }

    /** From one fault on. */
    final class Recovery {
        private final long beganMillis = System.currentTimeMillis();
        private final long beganNanos = System.nanoTime();
        private OptionalLong took = OptionalLong.empty();

        /** Lets a time pass, or less when there are windows again and nothing else is to be waited for. */
        void pass(Duration time) throws InterruptedException {
            long until = System.nanoTime() + time.toNanos();
            boolean unused = Recoveries.this.await(time.plusSeconds(1), () -> {
                look();
                return System.nanoTime() - until >= 0;
            });
        }

        /** Waits for windows; whether they came. */
        boolean done() throws InterruptedException {
            return Recoveries.this.await(LONGEST, this::look);
        }

        private boolean look() {
            if (took.isEmpty() && waitingFor().isEmpty()) {
                long now = (System.nanoTime() - beganNanos) / 1_000_000;
                took = OptionalLong.of(now);
                millis.add(now);
            }
            return took.isPresent();
        }

        /** The deployments that have no new window. */
        List<Deployment> waitingFor() {
            return watch.withoutWindowAfter(deployments, beganMillis);
        }

        long millis() {
            return took.orElseThrow();
        }
    }
}
