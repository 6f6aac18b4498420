package dev.plimsoll.bench.race;

import dev.plimsoll.bench.load.LoadShape;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Appends the samples of all deployments at a fixed pace, whatever becomes of them, on a thread of its own, and knows when the broker
 * appended the one that decides a window: the first after which all ranks are past its end.
 */
final class Pacer {
    /** A window of a deployment. */
    record Window(Deployment deployment, long index) {}

    private final RaceShape shape;
    private final List<DeploymentLog> logs;
    private final SampleFeed feed;
    private final long nanosPerBoundary;
    private final Map<Window, CompletableFuture<Long>> deciding = new ConcurrentHashMap<>();
    private final Thread thread = new Thread(this::run, "race-pacer");
    private volatile boolean stopping;
    private volatile @Nullable RuntimeException failure;
    private long windows;
    private long mostBehindNanos;

    Pacer(RaceShape shape, List<DeploymentLog> logs, SampleFeed feed) {
        this.shape = shape;
        this.logs = logs;
        this.feed = feed;
        this.nanosPerBoundary = shape.load().nanosPerBoundary();
    }

    void start() {
        thread.setDaemon(true);
        thread.start();
    }

    /** Ends with whole windows, all of them decided; how many of each deployment. */
    long stop() throws InterruptedException {
        stopping = true;
        thread.join();
        RuntimeException failed = failure;
        if (failed != null) {
            throw failed;
        }
        feed.flush();
        return windows;
    }

    /** When the broker appended what decided a window, in milliseconds of its clock. */
    Map<Window, CompletableFuture<Long>> deciding() {
        return deciding;
    }

    /** How much later than its time a boundary was appended at worst. */
    long mostBehindMillis() {
        return TimeUnit.NANOSECONDS.toMillis(mostBehindNanos);
    }

    private void run() {
        try {
            logs.forEach(log -> feed.begin(log.members()));
            long[] next = new long[logs.size()];
            long began = System.nanoTime();
            long last = Long.MAX_VALUE;
            for (long boundary = 0; boundary <= last; boundary++) {
                long due = began + boundary * nanosPerBoundary;
                for (long now = System.nanoTime(); now < due; now = System.nanoTime()) {
                    LockSupport.parkNanos(due - now);
                }
                mostBehindNanos = Math.max(mostBehindNanos, System.nanoTime() - due);
                for (int i = 0; i < next.length; i++) {
                    next[i] = append(logs.get(i), boundary, next[i]);
                }
                if (stopping && last == Long.MAX_VALUE) {
                    // Late samples may put off what decides the last window.
                    windows = boundary / shape.load().boundariesPerWindow() + 1;
                    last = (windows + 1) * shape.load().boundariesPerWindow();
                }
            }
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    /** Appends what a deployment has at a boundary; the first window that is not decided. */
    private long append(DeploymentLog log, long boundary, long undecided) {
        long next = undecided;
        LoadShape load = shape.load();
        for (LoadSample sample : log.at(boundary)) {
            CompletableFuture<Long> appended = feed.append(sample);
            boolean inTime = sample.steps().from() == boundary * load.boundarySteps();
            while (inTime && decides(log, next, boundary, sample)) {
                deciding.put(new Window(sample.deployment(), next), appended);
                next++;
            }
        }
        return next;
    }

    private boolean decides(DeploymentLog log, long window, long boundary, LoadSample sample) {
        if (boundary < (window + 1) * shape.load().boundariesPerWindow() - 1) {
            return false;
        }
        long latest = -1;
        int by = 0;
        for (int node = 0; node < shape.load().nodes(); node++) {
            long of = log.decidingBoundary(window, node);
            if (of >= latest) {
                latest = of;
                by = node;
            }
        }
        return latest == boundary && sample.firstRank() == shape.load().firstRank(by);
    }
}
