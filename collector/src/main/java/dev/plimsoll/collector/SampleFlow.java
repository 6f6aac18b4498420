package dev.plimsoll.collector;

import dev.plimsoll.collector.CollectorListener.Dropped;
import dev.plimsoll.collector.RingReader.Captured;
import dev.plimsoll.model.LoadSample;
import java.util.function.Function;
import reactor.core.publisher.BufferOverflowStrategy;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Samples on their way to the topic: a bounded buffer that drops its oldest, a gate, and a bounded number of writes under way.
 * Whatever the cluster does, the source is never held up.
 */
final class SampleFlow {
    private SampleFlow() {}

    /**
     * @param open completes when samples may be published; until then the buffer fills
     * @param write cold; an error counts the sample as dropped
     */
    static Flux<Long> of(
            Flux<Captured> source,
            Mono<Void> open,
            Function<LoadSample, Mono<Long>> write,
            int buffer,
            int inFlight,
            CollectorListener listener) {
        return source.onBackpressureBuffer(
                        buffer,
                        oldest -> listener.onDropped(
                                Dropped.BUFFER_FULL, oldest.sample().steps().to()),
                        BufferOverflowStrategy.DROP_OLDEST)
                // The gate stands before the writes: behind it they would wake in any order.
                .concatMap(captured -> open.thenReturn(captured), 0)
                .flatMap(
                        captured -> Mono.defer(() -> write.apply(captured.sample()))
                                .doOnNext(offset -> listener.onPublished(
                                        captured.sample().steps().to(), captured.capturedNanos()))
                                .onErrorResume(e -> {
                                    listener.onDropped(
                                            Dropped.WRITE_FAILED,
                                            captured.sample().steps().to());
                                    return Mono.empty();
                                }),
                        inFlight,
                        1);
    }
}
