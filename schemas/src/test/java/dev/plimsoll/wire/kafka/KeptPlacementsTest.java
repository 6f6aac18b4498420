package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.KeptPlacement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Hooks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

class KeptPlacementsTest {
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final Scheduler scheduler = Schedulers.newSingle("kept-placements-test");

    @AfterEach
    void close() {
        Hooks.resetOnErrorDropped();
        scheduler.dispose();
    }

    @Test
    void readingThatNobodyWantsAnyMoreEndsWithoutAFailure() throws InterruptedException {
        List<Throwable> dropped = new CopyOnWriteArrayList<>();
        Hooks.onErrorDropped(dropped::add);
        CountDownLatch reading = new CountDownLatch(1);

        Disposable wanted = KeptPlacements.retried(
                        () -> {
                            reading.countDown();
                            try {
                                new CountDownLatch(1).await();
                                throw new IllegalStateException("nobody counts down");
                            } catch (InterruptedException e) {
                                throw new InterruptException(e); // as Kafka's consumer does
                            }
                        },
                        scheduler)
                .subscribe();
        assertThat(reading.await(30, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
        wanted.dispose();
        scheduler.disposeGracefully().block(LONGEST);

        assertThat(dropped).isEmpty();
    }

    @Test
    void clusterThatIsAwayIsWaitedFor() {
        KeptPlacements.Found found = new KeptPlacements.Found(new KeptPlacement(), 7);
        List<String> tries = new CopyOnWriteArrayList<>();

        assertThat(KeptPlacements.retried(
                                () -> {
                                    tries.add("one");
                                    if (tries.size() < 3) {
                                        throw new TimeoutException("no answer");
                                    }
                                    return found;
                                },
                                scheduler)
                        .block(LONGEST))
                .isSameAs(found);
    }
}
