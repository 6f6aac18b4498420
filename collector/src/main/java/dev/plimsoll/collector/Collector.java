package dev.plimsoll.collector;

import dev.plimsoll.collector.RingReader.Captured;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The role {@code collector}: carries the heat of the engines of one directory to the samples topic.
 *
 * <p>Waits for a {@link MembershipFile}, then reads rings at once and publishes as soon as the worker has marked the membership as
 * published. With the cluster away memory stays bounded, what does not fit is dropped and counted, and it goes on when the
 * cluster returns. A membership of another incarnation starts over.
 */
public final class Collector implements AutoCloseable {
    private static final Duration LOOK_AT_RING = Duration.ofMillis(5);
    private static final Duration LOOK_FOR_FILES = Duration.ofMillis(100);
    private static final Duration DELIVERY = Duration.ofSeconds(10);
    /** Together; one role is not to use up the time that a process has to stop. */
    private static final Duration CLOSING = Duration.ofSeconds(3);

    private static final Duration DRAIN = Duration.ofMillis(1_500);
    private static final int BUFFERED_SAMPLES = 256;
    private static final int IN_FLIGHT = 32;

    private final KafkaSettings settings;
    private final Path directory;
    private final String emitter;
    private final CollectorListener listener;
    private final MembershipFile file;
    private final Scheduler scheduler = Schedulers.newSingle("plimsoll-collector", true);
    private final Disposable.Swap flow = Disposables.swap();
    private final Disposable.Composite running = Disposables.composite();
    private final IntFunction<Ring> openRing;
    private @Nullable Membership serving;
    private @Nullable RingReader reader;
    private volatile @Nullable SampleFlow carrying;
    private volatile @Nullable TopicWriter writer;

    /**
     * @param directory shared memory of the engines of one deployment
     * @param emitter names this collector in its samples, for people
     */
    public Collector(KafkaSettings settings, Path directory, String emitter, CollectorListener listener) {
        this(settings, directory, emitter, listener, rank -> Ring.open(RankFiles.ring(directory, rank)));
    }

    Collector(
            KafkaSettings settings,
            Path directory,
            String emitter,
            CollectorListener listener,
            IntFunction<Ring> openRing) {
        this.settings = settings;
        this.directory = directory;
        this.emitter = emitter;
        this.listener = listener;
        this.openRing = openRing;
        file = new MembershipFile(directory);
    }

    /** Starts and returns; engines may come later. */
    public void start() {
        writer = new TopicWriter(settings, "plimsoll-collector-" + emitter, IN_FLIGHT, DELIVERY);
        running.add(flow);
        running.add(Flux.interval(Duration.ZERO, LOOK_FOR_FILES, scheduler)
                .onBackpressureDrop()
                .subscribe(tick -> lookForFiles(), e -> listener.onTrouble("looking for engines", e)));
    }

    private void lookForFiles() {
        try {
            Optional<Membership> membership = file.read();
            if (membership.isEmpty()) {
                return;
            }
            Membership current = serving;
            if (current == null || current.incarnation() != membership.get().incarnation()) {
                serve(membership.get());
            }
            RingReader open = reader;
            if (open != null) {
                open.lookForRings();
            }
        } catch (RuntimeException e) {
            listener.onTrouble("looking for engines in " + directory, e);
        }
    }

    private void serve(Membership members) {
        flow.update(Disposables.disposed());
        RingReader old = reader;
        if (old != null) {
            old.close();
        }
        SampleAssembler assembler = new SampleAssembler(members, emitter, firstOf(members.incarnation()), listener);
        RingReader fresh = new RingReader(members, assembler, () -> RankFiles.ranks(directory), openRing, listener);
        reader = fresh;
        serving = members;
        listener.onServing(members.deployment(), members.incarnation());
        SampleFlow samples = new SampleFlow(BUFFERED_SAMPLES, IN_FLIGHT, listener);
        carrying = samples;
        Flux<Captured> captured =
                Flux.interval(LOOK_AT_RING, scheduler).onBackpressureDrop().concatMapIterable(tick -> look(fresh), 1);
        flow.update(samples.carry(captured, published(members), this::write)
                .subscribe(offset -> {}, e -> listener.onTrouble("carrying samples", e)));
    }

    private List<Captured> look(RingReader from) {
        try {
            return from.look(realTimeNanos());
        } catch (RuntimeException e) {
            listener.onTrouble("reading a ring", e);
            return List.of();
        }
    }

    /** Completes once the topics hold the membership, for no sample may come before it. */
    private Mono<Void> published(Membership members) {
        return Flux.interval(Duration.ZERO, LOOK_FOR_FILES, scheduler)
                .onBackpressureDrop()
                .filter(tick -> file.published(members.incarnation()))
                .next()
                .then()
                .cache();
    }

    private Mono<Long> write(LoadSample sample) {
        TopicWriter open = writer;
        if (open == null) {
            return Mono.error(new IllegalStateException("collector is closed"));
        }
        return open.write(Output.of(Topic.SAMPLES, sample.deployment(), sample));
    }

    /**
     * Whether no collector has served this incarnation before: a file beside the rings remembers. Without it, a restarted
     * collector would publish everything since step 0 a second time, in a range that overlaps what is published.
     */
    private boolean firstOf(long incarnation) {
        try {
            Files.createFile(directory.resolve("collector-" + incarnation + ".started"));
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to " + directory, e);
        }
    }

    private static long realTimeNanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    /**
     * Whether every sample that was taken from a ring has been published or dropped. The ring is looked at every 5 ms: to know
     * that engines which have stopped left nothing behind, ask 20 ms after they did. Any thread.
     */
    public boolean drained() {
        SampleFlow samples = carrying;
        return samples == null || samples.drained();
    }

    /** Reads what is left in the ring, waits up to 1.5 s for what is on its way, counts the rest as dropped; within 3 s in all. */
    @Override
    public void close() {
        long deadline = System.nanoTime() + CLOSING.toNanos();
        waitFor(
                "the last samples",
                Mono.delay(LOOK_AT_RING.multipliedBy(4), scheduler)
                        .thenMany(Flux.interval(LOOK_AT_RING, scheduler)
                                .onBackpressureDrop()
                                .takeUntil(tick -> drained()))
                        .then(),
                DRAIN);
        // On the thread that reads the ring, so that no sample comes meanwhile.
        waitFor(
                "the last look",
                Mono.<Void>fromRunnable(running::dispose).subscribeOn(scheduler),
                left(deadline).dividedBy(3));
        running.dispose();
        waitFor(
                "the collector's thread",
                scheduler.disposeGracefully(),
                left(deadline).dividedBy(3));
        RingReader open = reader;
        if (open != null) {
            open.close();
        }
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
