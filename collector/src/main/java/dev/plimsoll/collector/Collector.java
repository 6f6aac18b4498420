package dev.plimsoll.collector;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Delivery;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The role {@code collector}: carries the heat of the engines of one node to the samples topic.
 *
 * <p>Serves every deployment whose files stand in its directory or in a direct sub-directory of it, as they come and go: a
 * {@link MembershipFile} makes a deployment, and its rings are read at once, but published only when the worker has marked the
 * membership as published. With the cluster away memory stays bounded, what does not fit is dropped and counted, and it goes on
 * when the cluster returns. A membership of another incarnation starts over; a deployment whose rings have all ended is let go
 * once what they left is published or dropped, and taken up again when another ring comes.
 *
 * <p>It tells the ranks of its own node, whose rings are here, and no others. Started again it goes on where it, or another collector
 * on this directory, has ended; the first sample then covers the time between. {@link #healthy}, {@link #unreadableRings} and {@link
 * #failingSince} say how it is, for whoever asks whether it is ready.
 */
public final class Collector implements AutoCloseable {
    /** More on one node are refused, and the others served: each may have a number of records under way. */
    static final int MOST_DEPLOYMENTS = 16;

    private static final Duration LOOK_FOR_FILES = Duration.ofMillis(100);
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);
    private static final Duration DELIVERY = Duration.ofSeconds(10);
    /** Together; one role is not to use up the time that a process has to stop. */
    private static final Duration CLOSING = Duration.ofSeconds(3);

    private static final Duration DRAIN = Duration.ofMillis(1_500);

    private final KafkaSettings settings;
    private final Path directory;
    private final String emitter;
    private final CollectorListener listener;
    private final Scheduler scheduler;
    private final Disposable.Composite running = Disposables.composite();
    private final OpenRing openRing;
    /** By directory; touched on the collector's thread, but for {@link #drained}. */
    private final Map<Path, ServedDirectory> served = new ConcurrentSkipListMap<>();

    private final Map<Path, String> troubles = new HashMap<>();
    private final Delivery delivery = new Delivery(InstantSource.system());
    private final Surroundings surroundings;
    private volatile @Nullable TopicWriter writer;
    private volatile long lookedNanos;

    /** Opens the ring of a rank in a directory. */
    interface OpenRing {
        Ring open(Path directory, int rank, Membership members);
    }

    /**
     * @param directory on tmpfs, where engines put their files or directories of them
     * @param emitter names this collector in its samples, for people
     */
    public Collector(KafkaSettings settings, Path directory, String emitter, CollectorListener listener) {
        this(
                settings,
                directory,
                emitter,
                listener,
                (engines, rank, members) -> Ring.open(RankFiles.ring(engines, rank), members));
    }

    Collector(KafkaSettings settings, Path directory, String emitter, CollectorListener listener, OpenRing openRing) {
        this.settings = settings;
        this.directory = directory;
        this.emitter = emitter;
        this.listener = listener;
        this.openRing = openRing;
        scheduler = listener.watched(Schedulers.newSingle("plimsoll-collector", true));
        surroundings = new Surroundings(directory, listener);
    }

    /** Starts and returns; engines may come later. */
    public void start() {
        writer = new TopicWriter(
                settings,
                "plimsoll-collector-" + emitter,
                ServedDirectory.IN_FLIGHT * MOST_DEPLOYMENTS,
                DELIVERY,
                TopicWriter.Compression.NONE);
        lookedNanos = System.nanoTime();
        running.add(Flux.interval(Duration.ZERO, LOOK_FOR_FILES, scheduler)
                .onBackpressureDrop()
                .subscribe(tick -> lookForFiles(), e -> listener.onTrouble("looking for engines", e)));
    }

    /** Whatever goes wrong in it, an error of the JVM too, must not end the looking. */
    private void lookForFiles() {
        guarded(directory.resolve("."), directory, () -> {
            List<Path> there = MembershipFile.directories(directory);
            List<Path> tooMany = new ArrayList<>();
            for (Path engines : there) {
                if (!served.containsKey(engines)) {
                    if (served.size() == MOST_DEPLOYMENTS) {
                        tooMany.add(engines);
                    } else {
                        served.put(
                                engines,
                                new ServedDirectory(
                                        engines, emitter, listener, openRing, scheduler, this::write, delivery));
                    }
                }
            }
            for (Map.Entry<Path, ServedDirectory> entry : served.entrySet()) {
                look(entry.getKey(), entry.getValue());
                if (entry.getValue().idle() && !there.contains(entry.getKey())) {
                    entry.getValue().close();
                    served.remove(entry.getKey());
                    troubles.remove(entry.getKey());
                }
            }
            surroundings.look(there);
            lookedNanos = System.nanoTime();
            if (!tooMany.isEmpty()) {
                throw new IllegalStateException(
                        "more than " + MOST_DEPLOYMENTS + " deployments in " + directory + ": " + tooMany
                                + " is left out, the others are served; remove the directories of those that have ended");
            }
        });
    }

    /** What is wrong with one deployment is no matter of the others. */
    private void look(Path engines, ServedDirectory directory) {
        guarded(
                engines,
                engines,
                () -> directory.look(members -> served.values().stream()
                        .filter(other -> other != directory && other.serves(members))
                        .map(ServedDirectory::path)
                        .findFirst()));
    }

    private void guarded(Path key, Path where, Runnable look) {
        try {
            look.run();
            troubles.remove(key);
        } catch (RuntimeException | Error e) {
            tell(key, where, e);
        }
    }

    /** Tried ten times a second, told once. */
    private void tell(Path key, Path where, Throwable trouble) {
        String text = String.valueOf(trouble.getMessage());
        if (!text.equals(troubles.put(key, text))) {
            listener.onTrouble("looking for engines in " + where, trouble);
        }
    }

    private Mono<Long> write(LoadSample sample) {
        TopicWriter open = writer;
        if (open == null) {
            return Mono.error(new IllegalStateException("collector is closed"));
        }
        return open.write(Output.of(Topic.SAMPLES, sample.deployment(), sample));
    }

    /**
     * Whether every sample that was taken from a ring has been published or dropped. The ring is looked at every 5 ms: to know
     * that engines which have stopped left nothing behind, ask 20 ms after they did. Any thread.
     */
    public boolean drained() {
        return served.values().stream().allMatch(ServedDirectory::drained);
    }

    /** Whether files and rings are looked at, as they are many times a second. Any thread. */
    public boolean healthy() {
        return System.nanoTime() - lookedNanos < LONGEST_SILENCE.toNanos()
                && served.values().stream().allMatch(ServedDirectory::flowing);
    }

    /** Rings that are here and cannot be read, such as {@code /dev/shm/plimsoll/rank-3.ring}; none when all is well. Any thread. */
    public List<Path> unreadableRings() {
        return served.values().stream()
                .flatMap(one -> one.unreadable().stream().map(rank -> RankFiles.ring(one.path(), rank)))
                .toList();
    }

    /** Since when samples are dropped because no broker takes them; empty while one does. Any thread. */
    public Optional<Instant> failingSince() {
        return delivery.failingSince();
    }

    /** Reads what is left in the ring, waits up to 1.5 s for what is on its way, counts the rest as dropped; within 3 s in all. */
    @Override
    public void close() {
        long deadline = System.nanoTime() + CLOSING.toNanos();
        waitFor(
                "the last samples",
                Mono.delay(ServedDirectory.LOOK_AT_RING.multipliedBy(4), scheduler)
                        .thenMany(Flux.interval(ServedDirectory.LOOK_AT_RING, scheduler)
                                .onBackpressureDrop()
                                .takeUntil(tick -> drained()))
                        .then(),
                DRAIN);
        // On the thread that reads the ring, so that no sample comes meanwhile.
        waitFor(
                "the last look",
                Mono.<Void>fromRunnable(this::stopReading).subscribeOn(scheduler),
                left(deadline).dividedBy(3));
        stopReading();
        waitFor(
                "the collector's thread",
                scheduler.disposeGracefully(),
                left(deadline).dividedBy(3));
        TopicWriter sending = writer;
        writer = null;
        if (sending != null) {
            // It waits for a cluster that is away by a bound of its own; cut off, it ends.
            waitFor(
                    "the writer",
                    Mono.<Void>fromRunnable(sending::close).subscribeOn(Schedulers.boundedElastic()),
                    left(deadline));
        }
    }

    private void stopReading() {
        running.dispose();
        served.values().forEach(ServedDirectory::close);
    }

    private void waitFor(String what, Mono<Void> end, Duration longest) {
        try {
            end.block(longest);
        } catch (RuntimeException e) {
            listener.onTrouble("waiting for " + what + " while closing", e);
        }
    }

    /** At least 1 ms, for a wait of 0 is refused. */
    private static Duration left(long deadlineNanos) {
        return Duration.ofNanos(Math.max(1_000_000, deadlineNanos - System.nanoTime()));
    }
}
