package dev.plimsoll.worker;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The role {@code worker}: a {@link NodeWorker} for every deployment whose files stand in a directory or in a direct sub-directory of
 * it, as they come and go.
 *
 * <p>A {@link MembershipFile} makes a deployment, as it does for the collector. Each has a connection and a thread of its own, so that
 * what is wrong with one is no matter of the others. Threads: {@link #start} and {@link #close} by their owner, all else by any.
 */
public final class NodeWorkers implements AutoCloseable {
    /** As many as a collector serves. */
    static final int MOST_DEPLOYMENTS = 16;

    private static final Duration LOOK_FOR_FILES = Duration.ofMillis(200);
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);
    private static final Duration CLOSING = Duration.ofSeconds(3);
    private static final Duration LAST_LOOK = Duration.ofSeconds(1);

    private final Path place;
    private final Supplier<WorkerListener> listeners;
    private final WorkerListener listener;
    private final Open open;
    private final Scheduler scheduler = Schedulers.newSingle("plimsoll-workers", true);
    private final Map<Path, NodeWorker> served = new ConcurrentSkipListMap<>();
    private Disposable looking = Disposables.disposed();
    /** What was told last of a place, so that it is told once; the scheduler's thread only. */
    private final Map<Path, String> troubles = new HashMap<>();

    private volatile long lookedNanos = System.nanoTime();

    /** Makes the worker of one deployment, not started. */
    interface Open {
        NodeWorker open(Path directory, Deployment deployment, WorkerListener listener);
    }

    /**
     * @param place on tmpfs, where engines put their files or directories of them
     * @param listeners of each deployment, one
     */
    public NodeWorkers(KafkaSettings settings, Path place, Supplier<WorkerListener> listeners) {
        this(place, listeners, (directory, deployment, its) -> new NodeWorker(settings, directory, deployment, its));
    }

    NodeWorkers(Path place, Supplier<WorkerListener> listeners, Open open) {
        this.place = place;
        this.listeners = listeners;
        this.listener = listeners.get();
        this.open = open;
    }

    /** Starts and returns; engines may come later. */
    public void start() {
        lookedNanos = System.nanoTime();
        looking = Flux.interval(Duration.ZERO, LOOK_FOR_FILES, scheduler)
                .onBackpressureDrop()
                .subscribe(tick -> look(), e -> listener.onTrouble("looking for deployments", e));
    }

    /** Whatever goes wrong in it, an error of the JVM too, must not end the looking. */
    private void look() {
        guarded(place, () -> {
            List<Path> there = MembershipFile.directories(place);
            served.forEach((directory, worker) -> {
                if (!Files.isDirectory(directory)) {
                    worker.close();
                    served.remove(directory);
                    troubles.remove(directory);
                }
            });
            List<Path> fresh = there.stream()
                    .filter(directory -> !served.containsKey(directory))
                    .toList();
            int room = MOST_DEPLOYMENTS - served.size();
            fresh.stream().limit(room).forEach(directory -> guarded(directory, () -> serve(directory)));
            if (fresh.size() > room) {
                throw new IllegalStateException("more than " + MOST_DEPLOYMENTS + " deployments in " + place + ": "
                        + fresh.subList(room, fresh.size())
                        + " is left out, the others are served; remove the directories of those that have ended");
            }
        });
        lookedNanos = System.nanoTime();
    }

    private void guarded(Path at, Runnable action) {
        try {
            action.run();
            troubles.remove(at);
        } catch (RuntimeException | Error e) {
            String text = String.valueOf(e.getMessage());
            if (!text.equals(troubles.put(at, text))) {
                listener.onTrouble("looking for deployments in " + at, e);
            }
        }
    }

    private void serve(Path directory) {
        Optional<Deployment> deployment = new MembershipFile(directory).read().map(Membership::deployment);
        if (deployment.isPresent()) {
            NodeWorker worker = open.open(directory, deployment.get(), listeners.get());
            worker.start();
            served.put(directory, worker);
        }
    }

    /** The deployments' directories that are served now. */
    public List<Path> directories() {
        return List.copyOf(served.keySet());
    }

    /** Whether files are looked at, of every deployment. */
    public boolean healthy() {
        return System.nanoTime() - lookedNanos < LONGEST_SILENCE.toNanos()
                && served.values().stream().allMatch(NodeWorker::healthy);
    }

    /** Since when acks, or the membership, of some deployment do not reach a broker; empty while all do. */
    public Optional<Instant> failingSince() {
        return served.values().stream()
                .flatMap(worker -> worker.failingSince().stream())
                .min(Comparator.naturalOrder());
    }

    /** Stops all of them side by side, within 4 s. */
    @Override
    public void close() {
        // On the thread that looks: a look that has begun ends first, or it would start a worker that nobody closes.
        try {
            Mono.fromRunnable(looking::dispose).subscribeOn(scheduler).block(LAST_LOOK);
        } catch (RuntimeException e) {
            listener.onTrouble("waiting for the last look for deployments in " + place, e);
        }
        looking.dispose();
        scheduler.dispose();
        try {
            Flux.fromIterable(served.values())
                    .flatMap(worker -> Mono.fromRunnable(worker::close).subscribeOn(Schedulers.boundedElastic()))
                    .blockLast(CLOSING);
        } catch (RuntimeException e) {
            listener.onTrouble("closing", e);
        }
        served.clear();
    }
}
