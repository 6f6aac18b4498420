package dev.plimsoll.wire.kafka;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.ConcurrentTransactionsException;

/**
 * A request of a producer on its way to the brokers and back. A call that times out leaves it under way: it may have had its effect,
 * have it later or never, and the same call made again waits for it.
 */
final class SimRequest<T> {
    private static final long RETRY_NANOS = 7_000_000L;

    private final SimWorld world;
    private final SimProcess process;
    private final String what;
    private final Supplier<T> effect;
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private boolean lost;

    SimRequest(SimWorld world, SimProcess process, String what, Supplier<T> effect) {
        this.world = world;
        this.process = process;
        this.what = what;
        this.effect = effect;
    }

    /**
     * Sends it and waits.
     *
     * @throws org.apache.kafka.common.errors.TimeoutException when there is no answer in time
     */
    T call(long timeoutNanos) {
        process.step();
        if (world.draw(SimFault.CRASH_BEFORE_CALL)) {
            process.crash(SimFault.CRASH_BEFORE_CALL);
        }
        long away = world.awayFor();
        if (away > timeoutNanos || world.draw(SimFault.TIMED_OUT_LOST)) {
            lost = true;
            world.happened(SimFault.TIMED_OUT_LOST);
            throw timedOut(timeoutNanos);
        }
        if (world.draw(SimFault.TIMED_OUT_LATE)) {
            world.happened(SimFault.TIMED_OUT_LATE);
            arrivesAfter(timeoutNanos + world.between(0, 8_000_000_000L));
            throw timedOut(timeoutNanos);
        }
        long to = away + world.delay();
        long back = world.delay();
        if (world.draw(SimFault.DELAYED)) {
            world.happened(SimFault.DELAYED);
            long longer = world.between(0, timeoutNanos / 2);
            if (world.chance(0.5)) {
                to += longer;
            } else {
                back += longer;
            }
        }
        process.sleep(to);
        if (world.draw(SimFault.DUPLICATED)) {
            world.happened(SimFault.DUPLICATED);
            world.trace(process, what, "arrives twice");
            world.scheduler().after(world.between(0, 3_000_000_000L), () -> {
                try {
                    var unused = effect.get();
                } catch (RuntimeException e) {
                    // Nobody hears of it.
                }
            });
        }
        T result;
        try {
            long until = world.scheduler().now() + timeoutNanos;
            while (true) {
                try {
                    result = effect.get();
                    break;
                } catch (ConcurrentTransactionsException e) {
                    // Clients ask again by themselves.
                    if (world.scheduler().now() > until) {
                        lost = true;
                        throw new org.apache.kafka.common.errors.TimeoutException(what + " is not answered", e);
                    }
                    process.sleep(RETRY_NANOS);
                }
            }
        } catch (org.apache.kafka.common.errors.TimeoutException e) {
            throw e;
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
            world.trace(process, what, e);
            process.sleep(back);
            throw e;
        }
        answer.complete(result);
        world.trace(process, what, "");
        if (world.draw(SimFault.TIMED_OUT_DONE)) {
            world.happened(SimFault.TIMED_OUT_DONE);
            throw timedOut(timeoutNanos);
        }
        if (world.draw(SimFault.CRASH_AFTER_CALL)) {
            process.crash(SimFault.CRASH_AFTER_CALL);
        }
        process.sleep(back);
        return result;
    }

    /** Waits for the answer of a call that has timed out. */
    T again(long timeoutNanos) {
        if (lost) {
            lost = false;
            return call(timeoutNanos);
        }
        try {
            return process.await(answer, timeoutNanos);
        } catch (TimeoutException e) {
            throw new org.apache.kafka.common.errors.TimeoutException(what + " is not answered", e);
        } catch (ExecutionException e) {
            throw (RuntimeException) e.getCause();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    boolean arrived() {
        return answer.isDone();
    }

    private void arrivesAfter(long nanos) {
        world.scheduler().after(nanos, this::arrive);
    }

    private void arrive() {
        try {
            answer.complete(effect.get());
            world.trace(process, what, "arrives late");
        } catch (ConcurrentTransactionsException e) {
            // Its client, or what is left of it, asks again.
            arrivesAfter(RETRY_NANOS);
        } catch (RuntimeException e) {
            world.trace(process, what, "arrives late: " + e);
            answer.completeExceptionally(e);
        }
    }

    private org.apache.kafka.common.errors.TimeoutException timedOut(long timeoutNanos) {
        process.sleep(timeoutNanos);
        world.trace(process, what, "times out");
        return new org.apache.kafka.common.errors.TimeoutException(what + " is not answered");
    }
}
