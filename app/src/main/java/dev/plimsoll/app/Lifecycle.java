package dev.plimsoll.app;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a process has started, in order, so that it stops in reverse order within ten seconds of Ctrl-C or SIGTERM.
 *
 * <p>The main thread starts parts and then waits in {@link #await}; a signal ends the wait, and whatever is being started: what
 * comes to be started after it is refused with {@link Stopped}. The main thread closes this and so every part, each within its
 * own bound. Where that takes too long, the process ends all the same, without its temporary directories.
 */
public final class Lifecycle implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);
    private static final Duration LONGEST_STOP = Duration.ofMillis(9_500);
    /** How long a stop waits for a part that is being started: a broker cannot be cut short, but closed when it is up. */
    private static final Duration LONGEST_START = Duration.ofMillis(7_500);

    private static final Duration LONGEST_ANSWER = Duration.ofMillis(500);

    private record Part(String name, AutoCloseable closeable) {}

    /** The outcome of what was to be started after a stop was requested; nothing went wrong, so it has no stack trace. */
    public static final class Stopped extends RuntimeException {
        private Stopped() {
            super("stopped on request", null, false, false);
        }
    }

    private final Deque<Part> parts = new ArrayDeque<>();
    private final CompletableFuture<Void> stop;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private @Nullable Signals signals;
    private @Nullable Thread hook;

    public Lifecycle() {
        this(new CompletableFuture<>());
    }

    private Lifecycle(CompletableFuture<Void> stop) {
        this.stop = stop;
    }

    /** Parts that are stopped together, apart from those of this; a request to stop is one for both. */
    public Lifecycle within() {
        return new Lifecycle(stop);
    }

    /** Notes a part that has been started, or one whose start may leave something behind. */
    public <T extends AutoCloseable> T started(String name, T part) {
        synchronized (parts) {
            parts.push(new Part(name, part));
        }
        return part;
    }

    /**
     * Starts a part and notes it, unless a stop was requested. One that is being started when the stop comes may take its time to
     * come up, within a bound, and is then closed with the others.
     *
     * @throws Stopped when a stop was requested, before or meanwhile
     */
    public <T extends AutoCloseable> T start(String name, Callable<T> opening) throws Exception {
        CompletableFuture<T> coming = new CompletableFuture<>();
        begin(name, opening, coming);
        if (stopRequested()) {
            settle(coming, LONGEST_START);
        }
        T part = result(coming);
        started(name, part);
        proceed();
        return part;
    }

    /**
     * Asks something that may have to be waited for; a stop interrupts it.
     *
     * @throws Stopped when a stop was requested, before or meanwhile
     */
    public <T> T ask(String what, Callable<T> question) throws Exception {
        CompletableFuture<T> coming = new CompletableFuture<>();
        Thread asking = begin(what, question, coming);
        if (stopRequested()) {
            asking.interrupt();
            settle(coming, LONGEST_ANSWER);
        }
        T answer = result(coming);
        proceed();
        return answer;
    }

    /** Runs a task on a thread of its own and returns when it has ended or a stop was requested. */
    private <T> Thread begin(String name, Callable<T> task, CompletableFuture<T> coming) {
        proceed();
        Thread thread = new Thread(
                () -> {
                    try {
                        T result = task.call();
                        if (!coming.complete(result) && result instanceof AutoCloseable tooLate) {
                            tooLate.close();
                        }
                    } catch (Throwable e) { // an Error too: somebody waits
                        coming.completeExceptionally(e);
                    }
                },
                "plimsoll-" + name.replace(' ', '-'));
        thread.setDaemon(true);
        thread.start();
        CompletableFuture.anyOf(coming.handle((result, failure) -> true), stop).join();
        return thread;
    }

    /** Waits until a task has ended; one that has not in time is given up. */
    private static void settle(CompletableFuture<?> coming, Duration longest) throws InterruptedException {
        try {
            coming.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            log.debug("failed while stopping", e.getCause());
        } catch (TimeoutException e) {
            coming.cancel(false);
        }
    }

    private <T> T result(CompletableFuture<T> coming) throws Exception {
        try {
            return coming.get();
        } catch (ExecutionException | CancellationException e) {
            proceed(); // what fails while all is being stopped does so because of it
            if (e.getCause() instanceof Exception failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    /** Does nothing, or throws {@link Stopped} when a stop was requested. */
    public void proceed() {
        if (stopRequested()) {
            throw new Stopped();
        }
    }

    /** From now on a signal requests the stop instead of ending the process at once. */
    public void stopOnSignal() {
        Thread onExit = new Thread(
                () -> {
                    requestStop();
                    awaitStopped();
                },
                "plimsoll-stop");
        try {
            // For signals that come before the handlers are there, or where they cannot be.
            Runtime.getRuntime().addShutdownHook(onExit);
        } catch (IllegalStateException alreadyEnding) {
            requestStop();
            throw new Stopped();
        }
        hook = onExit;
        signals = Signals.to(number -> {
            Logs.muteLibraries();
            requestStop();
            if (!awaitStopped()) {
                removeDirectories();
                stopped.countDown(); // else the hook, which runs now, would wait as long once more
                System.exit(Signals.exitCode(0));
            }
        });
    }

    private boolean awaitStopped() {
        try {
            if (stopped.await(LONGEST_STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                return true;
            }
            log.warn("not stopped in order within {}: ending anyway", LONGEST_STOP);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private void removeDirectories() {
        synchronized (parts) {
            parts.stream()
                    .map(Part::closeable)
                    .filter(SharedDirectory.class::isInstance)
                    .map(SharedDirectory.class::cast)
                    .forEach(SharedDirectory::close);
        }
    }

    /** Ends {@link #await} and refuses further starts. */
    public void requestStop() {
        stop.complete(null);
    }

    /** Waits for a request to stop, at most for a time; whether it came. */
    public boolean await(Duration longest) throws InterruptedException {
        try {
            stop.get(longest.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a request to stop never fails", e);
        }
    }

    public void await() throws InterruptedException {
        try {
            stop.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a request to stop never fails", e);
        }
    }

    public boolean stopRequested() {
        return stop.isDone();
    }

    /**
     * Stops every part, the last started first. What one part throws does not keep the others from stopping. A signal is then the
     * JVM's own affair again.
     */
    @Override
    public void close() {
        for (Optional<Part> next = next(); next.isPresent(); next = next()) {
            close(next.get());
        }
        stopped.countDown();
        if (signals != null) {
            signals.close();
        }
        if (hook != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                log.debug("the process is ending: its hook runs already");
            }
        }
    }

    private Optional<Part> next() {
        synchronized (parts) {
            return Optional.ofNullable(parts.poll());
        }
    }

    private static void close(Part part) {
        long began = System.nanoTime();
        try {
            part.closeable().close();
        } catch (Exception e) {
            log.warn("{} did not stop in order: {}", part.name(), e.toString());
            log.debug("because", e);
        }
        log.debug("{} stopped in {} ms", part.name(), (System.nanoTime() - began) / 1_000_000);
    }
}
