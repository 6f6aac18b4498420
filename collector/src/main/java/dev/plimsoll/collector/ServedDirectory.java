package dev.plimsoll.collector;

import dev.plimsoll.collector.RingReader.Captured;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * One deployment's directory, from its membership to its last sample. On the collector's thread, but for {@link #drained}.
 *
 * <p>Idle when nothing is carried: then it holds no counters and no buffers, only what it needs to know a new ring from one that
 * it has read.
 */
final class ServedDirectory implements AutoCloseable {
    static final Duration LOOK_AT_RING = Duration.ofMillis(5);
    static final int IN_FLIGHT = 32;
    private static final Duration LOOK_FOR_MARK = Duration.ofMillis(100);
    private static final int BUFFERED_SAMPLES = 256;

    private final Path directory;
    private final String emitter;
    private final CollectorListener listener;
    private final Collector.OpenRing openRing;
    private final Scheduler scheduler;
    private final Function<LoadSample, Mono<Long>> write;
    private final MembershipFile file;
    private final Disposable.Swap flow = Disposables.swap();
    private @Nullable Membership members;
    private @Nullable RingReader reader;
    private volatile @Nullable SampleFlow carrying;
    private String readingTrouble = "";

    ServedDirectory(
            Path directory,
            String emitter,
            CollectorListener listener,
            Collector.OpenRing openRing,
            Scheduler scheduler,
            Function<LoadSample, Mono<Long>> write) {
        this.directory = directory;
        this.emitter = emitter;
        this.listener = listener;
        this.openRing = openRing;
        this.scheduler = scheduler;
        this.write = write;
        file = new MembershipFile(directory);
    }

    Path path() {
        return directory;
    }

    /**
     * Takes up a membership that has come, rings that have come, and lets go of what has ended.
     *
     * @param elsewhere the other directory that serves the very same life of a deployment: both would tell the same steps
     */
    void look(Function<Membership, Optional<Path>> elsewhere) {
        Optional<Membership> read = file.read();
        Membership now = members;
        if (read.isPresent() && (now == null || now.incarnation() != read.get().incarnation())) {
            Optional<Path> other = elsewhere.apply(read.get());
            if (other.isPresent()) {
                throw new IllegalStateException(read.get().deployment() + ", incarnation "
                        + read.get().incarnation() + ", is served from " + other.get() + " already");
            }
            serve(read.get());
        }
        RingReader open = reader;
        Membership serving = members;
        if (open == null || serving == null) {
            return;
        }
        open.lookForRings();
        SampleFlow samples = carrying;
        if (samples == null && !open.finished()) {
            carry(serving, open);
        } else if (samples != null && open.finished() && samples.drained()) {
            letGo();
            open.rest();
            listener.onFinished(serving.deployment(), serving.incarnation());
        }
    }

    boolean serves(Membership other) {
        Membership now = members;
        return carrying != null
                && now != null
                && now.deployment().equals(other.deployment())
                && now.incarnation() == other.incarnation();
    }

    boolean idle() {
        return carrying == null;
    }

    /** Whether every sample that was taken from a ring has been published or dropped. Any thread. */
    boolean drained() {
        SampleFlow samples = carrying;
        return samples == null || samples.drained();
    }

    private void serve(Membership fresh) {
        close();
        SampleAssembler assembler = new SampleAssembler(fresh, emitter, firstOf(fresh.incarnation()), listener);
        RingReader open = new RingReader(
                fresh,
                assembler,
                () -> RankFiles.ranks(directory),
                rank -> openRing.open(directory, rank, fresh),
                listener);
        members = fresh;
        reader = open;
        listener.onServing(fresh.deployment(), fresh.incarnation());
        carry(fresh, open);
    }

    private void carry(Membership serving, RingReader open) {
        SampleFlow samples = new SampleFlow(BUFFERED_SAMPLES, IN_FLIGHT, listener);
        carrying = samples;
        Flux<Captured> captured = Flux.interval(LOOK_AT_RING, scheduler)
                .onBackpressureDrop()
                .concatMapIterable(tick -> lookAtRings(open), 1);
        flow.update(samples.carry(captured, published(serving), write)
                .subscribe(offset -> {}, e -> listener.onTrouble("carrying samples of " + serving.deployment(), e)));
    }

    private void letGo() {
        flow.update(Disposables.disposed());
        carrying = null;
    }

    private List<Captured> lookAtRings(RingReader from) {
        try {
            return from.look(realTimeNanos());
        } catch (RuntimeException e) {
            String text = String.valueOf(e.getMessage());
            if (!text.equals(readingTrouble)) {
                readingTrouble = text; // tried 200 times a second, told once
                listener.onTrouble("reading the rings in " + directory, e);
            }
            return List.of();
        }
    }

    /** Completes once the topics hold the membership, for no sample may come before it. */
    private Mono<Void> published(Membership serving) {
        return Flux.interval(Duration.ZERO, LOOK_FOR_MARK, scheduler)
                .onBackpressureDrop()
                .filter(tick -> file.published(serving.incarnation()))
                .next()
                .then()
                .cache();
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

    /** Stops at once; what is on its way is dropped and counted. */
    @Override
    public void close() {
        letGo();
        RingReader old = reader;
        if (old != null) {
            old.close();
        }
    }
}
