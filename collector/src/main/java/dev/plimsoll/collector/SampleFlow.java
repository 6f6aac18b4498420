package dev.plimsoll.collector;

import dev.plimsoll.collector.CollectorListener.Dropped;
import dev.plimsoll.collector.RingReader.Captured;
import dev.plimsoll.model.LoadSample;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import reactor.core.publisher.BufferOverflowStrategy;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Samples on their way to the topic: a bounded buffer that drops its oldest, a gate, and a bounded number of writes under way.
 * Whatever the cluster does, the source is never held up; whatever happens, a sample is published or dropped, and told once.
 */
final class SampleFlow {
    /** A sample on its way; not a record, for two samples are never the same. */
    private static final class Carried {
        final Captured captured;

        Carried(Captured captured) {
            this.captured = captured;
        }
    }

    private final int buffer;
    private final int inFlight;
    private final CollectorListener listener;
    /** Whoever takes a sample out of it tells its fate: the broker's answer and the cancellation race. */
    private final Set<Carried> underWay = ConcurrentHashMap.newKeySet();

    SampleFlow(int buffer, int inFlight, CollectorListener listener) {
        this.buffer = buffer;
        this.inFlight = inFlight;
        this.listener = listener;
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
                        buffer, oldest -> drop(oldest, Dropped.BUFFER_FULL), BufferOverflowStrategy.DROP_OLDEST)
                // The gate stands before the writes: behind it they would wake in any order.
                .concatMap(carried -> open.thenReturn(carried), 0)
                .flatMap(
                        carried -> Mono.defer(() -> write.apply(carried.captured.sample()))
                                .doOnNext(offset -> publish(carried))
                                .onErrorResume(e -> {
                                    drop(carried, Dropped.WRITE_FAILED);
                                    return Mono.empty();
                                }),
                        inFlight,
                        1)
                .doFinally(signal -> underWay.forEach(carried -> drop(carried, Dropped.CLOSED)));
    }

    /** Whether no sample is in the buffer, at the gate or with the writer. Any thread. */
    boolean drained() {
        return underWay.isEmpty();
    }

    private Carried taken(Captured captured) {
        Carried carried = new Carried(captured);
        underWay.add(carried);
        return carried;
    }

    private void publish(Carried carried) {
        if (underWay.remove(carried)) {
            listener.onPublished(carried.captured.sample().steps().to(), carried.captured.capturedNanos());
        }
    }

    private void drop(Carried carried, Dropped reason) {
        if (underWay.remove(carried)) {
            listener.onDropped(reason, carried.captured.sample().steps().to());
        }
    }
}
