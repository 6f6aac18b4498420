package dev.plimsoll.collector;

import dev.plimsoll.collector.RingReader.Captured;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.RoleLock;
import dev.plimsoll.wire.kafka.Delivery;
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
import reactor.util.retry.Retry;

/**
 * One deployment's directory, from its membership to its last sample. On the collector's thread, but for {@link #drained}, {@link
 * #flowing} and {@link #unreadable}.
 *
 * <p>One collector serves a directory; another one on it stands by. Idle when nothing is carried: then it holds no buffers.
 */
final class ServedDirectory implements AutoCloseable {
    static final Duration LOOK_AT_RING = Duration.ofMillis(5);
    static final int IN_FLIGHT = 32;
    private static final Duration LOOK_FOR_MARK = Duration.ofMillis(100);
    /** A worker that is there has the membership in the topics by then. */
    private static final Duration SOON_PUBLISHED = Duration.ofSeconds(3);
    /** A flow that has not looked at its rings for so long stands still, and is begun anew. */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);
    /** Of samples in memory: what waits, and about what is with the writer. */
    private static final long BUFFER_BYTES = 8 << 20;

    private static final long IN_FLIGHT_BYTES = 4 << 20;

    private final Path directory;
    private final String emitter;
    private final CollectorListener listener;
    private final Collector.OpenRing openRing;
    private final Scheduler scheduler;
    private final Function<LoadSample, Mono<Long>> write;
    private final Delivery delivery;
    private final MembershipFile file;
    private final Disposable.Swap flow = Disposables.swap();
    private @Nullable RoleLock lock;
    private @Nullable Membership members;
    private @Nullable RingReader reader;
    private @Nullable CountsFile counts;
    private boolean whole;
    private volatile @Nullable SampleFlow carrying;
    private volatile long lookedNanos;
    private volatile List<Integer> unreadable = List.of();
    private boolean standingBy;
    private String readingTrouble = "";

    ServedDirectory(
            Path directory,
            String emitter,
            CollectorListener listener,
            Collector.OpenRing openRing,
            Scheduler scheduler,
            Function<LoadSample, Mono<Long>> write,
            Delivery delivery) {
        this.directory = directory;
        this.emitter = emitter;
        this.listener = listener;
        this.openRing = openRing;
        this.scheduler = scheduler;
        this.write = write;
        this.delivery = delivery;
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
            if (!held()) {
                return;
            }
            serve(read.get());
        }
        RingReader open = reader;
        Membership serving = members;
        if (open == null || serving == null) {
            return;
        }
        open.lookForRings(realTimeNanos());
        unreadable = open.unreadable();
        SampleFlow samples = carrying;
        if (samples == null && !open.finished()) {
            carry(serving, open);
        } else if (samples != null && open.finished() && samples.drained()) {
            letGo();
            open.rest();
            listener.onFinished(serving.deployment(), serving.incarnation());
        } else if (samples != null && !flowing()) {
            listener.onTrouble(
                    "carrying samples of " + serving.deployment() + ", which is begun anew",
                    new IllegalStateException("the rings were not looked at for " + LONGEST_SILENCE));
            carry(serving, open);
        }
    }

    /** Whether this collector is the one to serve the directory: taken anew, for the file of an earlier life may be gone. */
    private boolean held() {
        letGoOfLock();
        Optional<RoleLock> held = RoleLock.tryHold(directory, "collector");
        lock = held.orElse(null);
        if (held.isEmpty() && !standingBy) {
            listener.onStandingBy(directory);
        }
        standingBy = held.isEmpty();
        return held.isPresent();
    }

    private void letGoOfLock() {
        RoleLock held = lock;
        lock = null;
        if (held != null) {
            held.close();
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

    /** Whether its rings are looked at, or there is nothing to look at. Any thread. */
    boolean flowing() {
        return carrying == null || System.nanoTime() - lookedNanos < LONGEST_SILENCE.toNanos();
    }

    /** Ranks whose ring is here and cannot be read, while there is anything to read. Any thread. */
    List<Integer> unreadable() {
        return carrying == null ? List.of() : unreadable;
    }

    private void serve(Membership fresh) {
        stop();
        CountsFile kept = new CountsFile(directory, fresh);
        CountsFile.Kept left = left(kept);
        RingReader open = new RingReader(
                fresh,
                new SampleAssembler(fresh, emitter, left.whole(), listener),
                () -> RankFiles.ranks(directory),
                rank -> openRing.open(directory, rank, fresh),
                listener);
        open.restore(left.ranks());
        // Now and not with the first sample: where it cannot be written, a restart would tell everything twice.
        kept.write(left);
        kept.removeOthers();
        members = fresh;
        reader = open;
        counts = kept;
        whole = left.whole();
        listener.onServing(fresh.deployment(), fresh.incarnation());
        carry(fresh, open);
    }

    private CountsFile.Kept left(CountsFile kept) {
        try {
            return kept.read().orElseGet(() -> new CountsFile.Kept(!kept.servedByFirstRelease(), List.of()));
        } catch (RuntimeException e) {
            listener.onTrouble("going on where the collector before this one ended in " + directory, e);
            return new CountsFile.Kept(false, List.of());
        }
    }

    private void carry(Membership serving, RingReader open) {
        SampleFlow samples = new SampleFlow(BUFFER_BYTES, inFlight(serving), listener, delivery);
        lookedNanos = System.nanoTime();
        carrying = samples;
        flow.update(Flux.defer(() -> listener.watched(samples.carry(
                        Flux.interval(LOOK_AT_RING, scheduler)
                                .onBackpressureDrop()
                                .concatMapIterable(tick -> lookAtRings(open), 1),
                        published(serving),
                        write)))
                .retryWhen(Retry.backoff(Long.MAX_VALUE, Duration.ofMillis(100))
                        .maxBackoff(Duration.ofSeconds(2))
                        .scheduler(scheduler)
                        .doBeforeRetry(signal ->
                                listener.onTrouble("carrying samples of " + serving.deployment(), signal.failure())))
                .subscribe(offset -> {}, e -> listener.onTrouble("carrying samples of " + serving.deployment(), e)));
    }

    private static int inFlight(Membership serving) {
        long most = SampleAssembler.mostBytes(serving) + SampleFlow.OVERHEAD_BYTES;
        return (int) Math.max(2, Math.min(IN_FLIGHT, IN_FLIGHT_BYTES / most));
    }

    private void letGo() {
        flow.update(Disposables.disposed());
        carrying = null;
    }

    /** Whatever goes wrong in it, an error of the JVM too, must not end the flow. */
    private List<Captured> lookAtRings(RingReader from) {
        try {
            List<Captured> captured = from.look(realTimeNanos());
            lookedNanos = System.nanoTime();
            keep(from);
            return captured;
        } catch (RuntimeException | Error e) {
            tellReading("reading the rings in " + directory, e);
            return List.of();
        }
    }

    /** Before the samples are sent: better that those under way are lost with this process than that they are told twice. */
    private void keep(RingReader from) {
        try {
            from.moved().ifPresent(moved -> {
                CountsFile kept = counts;
                if (kept != null) {
                    kept.write(new CountsFile.Kept(whole, moved));
                }
            });
        } catch (RuntimeException | Error e) {
            tellReading("keeping up to where samples were made", e);
            from.notKept();
            spoilCounts();
        }
    }

    private void spoilCounts() {
        CountsFile kept = counts;
        try {
            if (kept != null) {
                kept.spoil();
            }
        } catch (RuntimeException e) {
            tellReading("keeping a successor from telling samples twice", e);
        }
    }

    /** Tried 200 times a second, told once. */
    private void tellReading(String what, Throwable e) {
        String text = String.valueOf(e.getMessage());
        if (!text.equals(readingTrouble)) {
            readingTrouble = text;
            listener.onTrouble(what, e);
        }
    }

    /** Completes once the topics hold the membership, for no sample may come before it. */
    private Mono<Void> published(Membership serving) {
        return Flux.interval(Duration.ZERO, LOOK_FOR_MARK, scheduler)
                .onBackpressureDrop()
                .filter(tick -> file.published(serving.incarnation()))
                .timeout(Mono.delay(SOON_PUBLISHED, scheduler)
                        .doOnNext(late -> listener.onUnpublished(serving.deployment(), serving.incarnation()))
                        .then(Mono.never()))
                .next()
                .then()
                .cache();
    }

    private static long realTimeNanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    private void stop() {
        letGo();
        RingReader old = reader;
        if (old != null) {
            old.close();
        }
    }

    /** Stops at once; what is on its way is dropped and counted. */
    @Override
    public void close() {
        stop();
        letGoOfLock();
    }
}
