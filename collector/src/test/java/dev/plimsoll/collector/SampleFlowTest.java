package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.collector.RingReader.Captured;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.publisher.TestPublisher;

class SampleFlowTest {
    private final List<Long> published = new ArrayList<>();
    private final List<String> dropped = new ArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onPublished(long step, long capturedNanos) {
            published.add(step);
        }

        @Override
        public void onDropped(Dropped reason, long step) {
            dropped.add(reason + " " + step);
        }
    };
    private final TestPublisher<Captured> source = TestPublisher.create();

    @Test
    void nothingIsWrittenBeforeTheMembershipIsPublishedAndNothingIsLost() {
        Sinks.Empty<Void> open = Sinks.empty();
        Disposable flow = new SampleFlow(8, 2, listener)
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
        Disposable flow = new SampleFlow(3, 2, listener)
                .carry(source.flux(), Mono.empty(), sample -> broker.asMono())
                .subscribe();

        emit(10); // two under way, one at the gate, three in the buffer

        assertThat(dropped).containsExactly("BUFFER_FULL 64", "BUFFER_FULL 80", "BUFFER_FULL 96", "BUFFER_FULL 112");
        broker.tryEmitValue(1L);
        assertThat(published).containsExactlyInAnyOrder(16L, 32L, 48L, 128L, 144L, 160L);
        flow.dispose();
    }

    @Test
    void failedWriteIsCountedAndTheNextGoesOn() {
        Flux<Long> flow = new SampleFlow(8, 1, listener)
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
    void whatIsOnItsWayWhenTheFlowEndsIsCountedWhereverItIs() {
        Sinks.One<Long> broker = Sinks.one();
        SampleFlow samples = new SampleFlow(8, 2, listener);
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
        SampleFlow samples = new SampleFlow(8, 2, listener);
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

    private void emit(int count) {
        SampleAssembler assembler = new SampleAssembler(Snapshots.MEMBERS, "test", true, CollectorListener.NONE);
        for (int i = 1; i <= count; i++) {
            source.next(new Captured(
                    i, assembler.add(0, Snapshots.at(i, i * 16L)).get(0)));
        }
    }
}
