package dev.plimsoll.wire.kafka;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Time and chance as a loop has them: all of its waiting that is not inside a client's call goes through here, so that a simulation
 * can be master of it. Any thread.
 */
interface LoopClock {
    /** Those of the machine. */
    LoopClock SYSTEM = new LoopClock() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public long currentTimeMillis() {
            return System.currentTimeMillis();
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            TimeUnit.NANOSECONDS.sleep(nanos);
        }

        @Override
        public <T> T await(Future<T> answer, long nanos)
                throws InterruptedException, ExecutionException, TimeoutException {
            return answer.get(nanos, TimeUnit.NANOSECONDS);
        }

        @Override
        public long jitter(long bound) {
            return ThreadLocalRandom.current().nextLong(bound);
        }
    };

    /** As {@link System#nanoTime}. */
    long nanoTime();

    /** As {@link System#currentTimeMillis}. */
    long currentTimeMillis();

    void sleep(long nanos) throws InterruptedException;

    /** As {@link Future#get(long, TimeUnit)}. */
    <T> T await(Future<T> answer, long nanos) throws InterruptedException, ExecutionException, TimeoutException;

    /** A random number from 0 to below the bound. */
    long jitter(long bound);
}
