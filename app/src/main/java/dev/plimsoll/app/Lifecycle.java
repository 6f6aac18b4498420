package dev.plimsoll.app;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a process has started, in order, so that it stops in reverse order within ten seconds of Ctrl-C or SIGTERM.
 *
 * <p>The main thread starts parts and then waits in {@link #await}; a signal ends the wait; the main thread closes this and so
 * every part, each within its own bound. The JVM's exit waits for that.
 */
public final class Lifecycle implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);
    private static final Duration LONGEST_STOP = Duration.ofMillis(9_500);

    private record Part(String name, AutoCloseable closeable) {}

    private final Deque<Part> parts = new ArrayDeque<>();
    private final CountDownLatch stopRequested = new CountDownLatch(1);
    private final CountDownLatch stopped = new CountDownLatch(1);

    /** Notes a part that has been started. */
    public <T extends AutoCloseable> T started(String name, T part) {
        parts.push(new Part(name, part));
        return part;
    }

    /** From now on a signal requests the stop instead of ending the process at once. */
    public void stopOnSignal() {
        Thread hook = new Thread(
                () -> {
                    requestStop();
                    try {
                        if (!stopped.await(LONGEST_STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                            log.warn("not stopped in order within {}: ending anyway", LONGEST_STOP);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "plimsoll-stop");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Ends {@link #await}. */
    public void requestStop() {
        stopRequested.countDown();
    }

    /** Waits for a request to stop, at most for a time; whether it came. */
    public boolean await(Duration longest) throws InterruptedException {
        return stopRequested.await(longest.toMillis(), TimeUnit.MILLISECONDS);
    }

    public void await() throws InterruptedException {
        stopRequested.await();
    }

    public boolean stopRequested() {
        return stopRequested.getCount() == 0;
    }

    /** Stops every part, the last started first. What one part throws does not keep the others from stopping. */
    @Override
    public void close() {
        while (!parts.isEmpty()) {
            Part part = parts.pop();
            long began = System.nanoTime();
            try {
                part.closeable().close();
            } catch (Exception e) {
                log.warn("{} did not stop in order", part.name(), e);
            }
            log.debug("{} stopped in {} ms", part.name(), (System.nanoTime() - began) / 1_000_000);
        }
    }

    /** Tells the waiting signal that everything that has to be said was said. */
    public void finished() {
        stopped.countDown();
    }
}
