package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.collector.RingReader.Captured;
import dev.plimsoll.wire.kafka.Delivery;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.publisher.TestPublisher;

class SampleFlowTest {
    /** Three ranks, two layers, two slots, and what two layers were routed. */
    private static final long SAMPLE_BYTES = SampleFlow.OVERHEAD_BYTES + 2 * 12 + 8 * 2;

    private final Delivery delivery = new Delivery(InstantSource.system());
    private final List<Long> published = new ArrayList<>();
    private final List<String> dropped = new ArrayList<>();
    private long droppedLoad;
    private final List<String> told = new ArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onPublished(long step, long capturedNanos) {
            published.add(step);
        }

        @Override
        public void onTrouble(String what, Throwable cause) {
            told.add(what + ": " + cause.getMessage());
        }

        @Override
        public void onDropped(Dropped reason, long step, long load) {
            dropped.add(reason + " " + step);
            droppedLoad += load;
        }
    };
    private final TestPublisher<Captured> source = TestPublisher.create();

    @Test
    void nothingIsWrittenBeforeTheMembershipIsPublishedAndNothingIsLost() {
        Sinks.Empty<Void> open = Sinks.empty();
        Disposable flow = flow(8, 2)
                .carry(source.flux(), open.asMono(), sample -> Mono.just(1L))
                .subscribe();
        emit(5);
        assertThat(published).isEmpty();

        open.tryEmitEmpty();

        assertThat(published).containsExactly(16L, 32L, 48L, 64L, 80L);
        assertThat(dropped).isEmpty();
        flow.dispose();
    }

    @Test
    void clusterThatIsAwayCostsTheOldestSamplesAndNeverTheSource() {
        Sinks.One<Long> broker = Sinks.one();
        Disposable flow = flow(4, 2)
                .carry(source.flux(), Mono.empty(), sample -> broker.asMono())
                .subscribe();

        emit(10); // two under way, four that wait, one of them at the gate

        assertThat(dropped).containsExactly("BUFFER_FULL 48", "BUFFER_FULL 64", "BUFFER_FULL 80", "BUFFER_FULL 96");
        assertThat(droppedLoad).isEqualTo(load(3, 4, 5, 6));
        assertThat(delivery.failingSince()).isPresent();
        broker.tryEmitValue(1L);
        assertThat(published).containsExactlyInAnyOrder(16L, 32L, 112L, 128L, 144L, 160L);
        assertThat(delivery.failingSince()).isEmpty();
        flow.dispose();
    }

    @Test
    void failedWriteIsCountedAndTheNextGoesOn() {
        Flux<Long> flow = flow(8, 1)
                .carry(
                        source.flux(),
                        Mono.empty(),
                        sample -> sample.steps().to() == 32
                                ? Mono.error(new IllegalStateException("timed out"))
                                : Mono.just(1L));
        Disposable running = flow.subscribe();

        emit(3);

        assertThat(published).containsExactly(16L, 48L);
        assertThat(dropped).containsExactly("WRITE_FAILED 32");
        running.dispose();
    }

    @Test
    void errorOfTheJvmInAWriteCostsItsSampleAndNotTheFlow() {
        Disposable flow = flow(8, 2)
                .carry(source.flux(), Mono.empty(), sample -> {
                    if (sample.steps().to() == 32) {
                        throw new OutOfMemoryError("no room");
                    }
                    return Mono.just(1L);
                })
                .subscribe();

        emit(3);

        assertThat(published).containsExactly(16L, 48L);
        assertThat(dropped).containsExactly("WRITE_FAILED 32");
        flow.dispose();
    }

    @Test
    void failureOfAnotherKindThanAnAwayClusterIsToldOnceUntilASampleArrives() {
        AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>(new TimeoutException("no broker"));
        Disposable flow = flow(8, 2)
                .carry(
                        source.flux(),
                        Mono.empty(),
                        sample -> Optional.ofNullable(failure.get())
                                .map(Mono::<Long>error)
                                .orElse(Mono.just(1L)))
                .subscribe();

        emit(2);
        assertThat(told).as("the cluster's contact tells it").isEmpty();
        assertThat(delivery.failingSince()).isPresent();

        failure.set(new IllegalStateException("no right"));
        emit(2);
        assertThat(told)
                .containsExactly("writing samples; those that no broker takes are dropped and counted: no right");

        failure.set(null);
        emit(1);
        assertThat(delivery.failingSince()).isEmpty();
        flow.dispose();
    }

    @Test
    void whatIsOnItsWayWhenTheFlowEndsIsCountedWhereverItIs() {
        Sinks.One<Long> broker = Sinks.one();
        SampleFlow samples = flow(8, 2);
        Disposable flow = samples.carry(source.flux(), Mono.empty(), sample -> broker.asMono())
                .subscribe();
        emit(5); // two under way, one at the gate, two in the buffer
        assertThat(samples.drained()).isFalse();

        flow.dispose();

        assertThat(dropped).containsExactlyInAnyOrder("CLOSED 16", "CLOSED 32", "CLOSED 48", "CLOSED 64", "CLOSED 80");
        assertThat(samples.drained()).isTrue();
        broker.tryEmitValue(1L);
        assertThat(published).isEmpty();
    }

    @Test
    void flowIsDrainedOnceEverySampleIsPublishedOrDropped() {
        SampleFlow samples = flow(8, 2);
        Sinks.One<Long> broker = Sinks.one();
        Disposable flow = samples.carry(
                        source.flux(),
                        Mono.empty(),
                        sample -> sample.steps().to() == 32
                                ? Mono.error(new IllegalStateException("timed out"))
                                : broker.asMono())
                .subscribe();
        assertThat(samples.drained()).isTrue();
        emit(3);
        assertThat(samples.drained()).isFalse();

        broker.tryEmitValue(1L);

        assertThat(samples.drained()).isTrue();
        flow.dispose();
        assertThat(published).containsExactlyInAnyOrder(16L, 48L);
        assertThat(dropped).containsExactly("WRITE_FAILED 32");
    }

    /** A flow with room for so many of the samples of these tests. */
    private SampleFlow flow(int samples, int inFlight) {
        return new SampleFlow(samples * SAMPLE_BYTES, inFlight, listener, delivery);
    }

    /** Of the samples with these numbers, from 1, among those that are emitted. */
    private static long load(int... numbers) {
        List<Captured> samples = samples(Arrays.stream(numbers).max().orElseThrow());
        return Arrays.stream(numbers)
                .mapToLong(number -> samples.get(number - 1).sample().load().sum())
                .sum();
    }

    private void emit(int count) {
        samples(count).forEach(source::next);
    }

    private static List<Captured> samples(int count) {
        SampleAssembler assembler = new SampleAssembler(Snapshots.MEMBERS, "test", true, CollectorListener.NONE);
        for (int rank = 0; rank < 3; rank++) {
            assembler.own(rank);
        }
        List<Captured> samples = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            samples.add(new Captured(
                    i, assembler.add(0, Snapshots.at(i, i * 16L)).get(0)));
        }
        return samples;
    }
}
