package dev.plimsoll.collector;

import dev.plimsoll.collector.CollectorListener.Dropped;
import dev.plimsoll.collector.RingReader.Captured;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.wire.kafka.Delivery;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.BufferOverflowStrategy;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Samples on their way to the topic: a buffer of bounded bytes that drops its oldest, a gate, and a bounded number of writes under
 * way. Whatever the cluster does, the source is never held up; whatever happens, a sample is published or dropped, and told once.
 */
final class SampleFlow {
    /** Of a sample in memory, beside its counters. */
    static final int OVERHEAD_BYTES = 256;

    /** Bounds the places in the buffer, which outlive samples that were dropped for their bytes; each is small. */
    private static final int MOST_WAITING = 65_536;

    /** A sample on its way; not a record, for two samples are never the same. */
    private static final class Carried {
        final long step;
        final long capturedNanos;
        final long bytes;
        /** Null once its fate is known, so that it takes no memory in a buffer that it still has a place in. */
        volatile @Nullable LoadSample sample;

        Carried(Captured captured) {
            sample = captured.sample();
            step = captured.sample().steps().to();
            capturedNanos = captured.capturedNanos();
            bytes = bytes(captured.sample());
        }
    }

    private final long bufferBytes;
    private final int inFlight;
    private final CollectorListener listener;
    private final Delivery delivery;
    /** Whoever takes a sample out of it tells its fate: the broker's answer and the cancellation race. */
    private final Set<Carried> underWay = ConcurrentHashMap.newKeySet();
    /** Those that no write has begun for, oldest first; guarded by itself. */
    private final Deque<Carried> waiting = new ArrayDeque<>();

    private long waitingBytes;

    /** @param bufferBytes of samples that wait; the newest one may wait whatever its size */
    SampleFlow(long bufferBytes, int inFlight, CollectorListener listener, Delivery delivery) {
        this.bufferBytes = bufferBytes;
        this.inFlight = inFlight;
        this.listener = listener;
        this.delivery = delivery;
    }

    static long bytes(LoadSample sample) {
        return OVERHEAD_BYTES
                + (long) sample.load().width() * sample.load().size()
                + (long) Long.BYTES * sample.routed().size();
    }

    /**
     * For one subscriber, which cancels on the source's thread: a sample that came meanwhile would be forgotten.
     *
     * @param open completes when samples may be published; until then the buffer fills
     * @param write cold; an error counts the sample as dropped
     */
    Flux<Long> carry(Flux<Captured> source, Mono<Void> open, Function<LoadSample, Mono<Long>> write) {
        return source.map(this::taken)
                .onBackpressureBuffer(
                        MOST_WAITING, oldest -> drop(oldest, Dropped.BUFFER_FULL), BufferOverflowStrategy.DROP_OLDEST)
                // The gate stands before the writes: behind it they would wake in any order.
                .concatMap(carried -> open.thenReturn(carried), 0)
                .flatMap(carried -> sent(carried, write), inFlight, 1)
                .doFinally(signal -> underWay.forEach(carried -> drop(carried, Dropped.CLOSED)));
    }

    private Mono<Long> sent(Carried carried, Function<LoadSample, Mono<Long>> write) {
        leaveBuffer(carried);
        LoadSample sample = carried.sample;
        if (sample == null) {
            return Mono.empty(); // dropped while it waited
        }
        return Mono.defer(() -> written(sample, write))
                .doOnNext(offset -> publish(carried))
                .onErrorResume(e -> {
                    if (delivery.failed(e)) {
                        listener.onTrouble("writing samples; those that no broker takes are dropped and counted", e);
                    }
                    drop(carried, Dropped.WRITE_FAILED);
                    return Mono.empty();
                });
    }

    /** An error of the JVM passes by all operators: one sample is not worth that the flow stands still for ever. */
    private static Mono<Long> written(LoadSample sample, Function<LoadSample, Mono<Long>> write) {
        try {
            return write.apply(sample);
        } catch (Error e) {
            return Mono.error(new IllegalStateException("writing a sample failed: " + e, e));
        }
    }

    /** Whether no sample is in the buffer, at the gate or with the writer. Any thread. */
    boolean drained() {
        return underWay.isEmpty();
    }

    private Carried taken(Captured captured) {
        Carried carried = new Carried(captured);
        underWay.add(carried);
        List<Carried> over = new ArrayList<>();
        synchronized (waiting) {
            waiting.add(carried);
            waitingBytes += carried.bytes;
            while (waitingBytes > bufferBytes && waiting.size() > 1) {
                Carried oldest = waiting.remove();
                waitingBytes -= oldest.bytes;
                over.add(oldest);
            }
        }
        for (Carried oldest : over) {
            drop(oldest, Dropped.BUFFER_FULL);
        }
        return carried;
    }

    private void leaveBuffer(Carried carried) {
        synchronized (waiting) {
            if (waiting.remove(carried)) { // it is the oldest, so the first
                waitingBytes -= carried.bytes;
            }
        }
    }

    private void publish(Carried carried) {
        if (underWay.remove(carried)) {
            carried.sample = null;
            delivery.arrived();
            listener.onPublished(carried.step, carried.capturedNanos);
        }
    }

    private void drop(Carried carried, Dropped reason) {
        LoadSample sample = carried.sample;
        if (underWay.remove(carried) && sample != null) {
            carried.sample = null;
            leaveBuffer(carried);
            if (reason == Dropped.BUFFER_FULL) {
                delivery.failed();
            }
            listener.onDropped(reason, carried.step, sample.load().sum());
        }
    }
}
