package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.KeptPlacement;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/** What is kept of a deployment's settled placement, for whoever begins to follow its plan log. */
public final class KeptPlacements {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    /**
     * What was found.
     *
     * @param planEnd end of the deployment's plan log, asked before: what is not kept yet is decided there or behind it
     */
    public record Found(KeptPlacement placement, long planEnd) {}

    private KeptPlacements() {}

    /**
     * What stands in the topics when it is subscribed to. Cold; waits for a cluster that is away and for topics that are not there yet, and
     * fails where waiting does not help.
     *
     * @param unreadable told of records that cannot be decoded
     */
    public static Mono<Found> of(KafkaSettings settings, Deployment deployment, Consumer<Quarantined> unreadable) {
        return retried(() -> read(settings, deployment, unreadable), Schedulers.boundedElastic());
    }

    /** Whoever loses interest interrupts the reading: that it ends is no failure, and nobody is there to be told. */
    static Mono<Found> retried(Supplier<Found> read, Scheduler scheduler) {
        return Mono.defer(() -> {
                    try {
                        return Mono.just(read.get());
                    } catch (InterruptException e) {
                        return Mono.empty();
                    }
                })
                .retryWhen(Retry.backoff(Long.MAX_VALUE, Duration.ofMillis(100))
                        .maxBackoff(LONGEST_PAUSE)
                        .filter(e ->
                                e instanceof KafkaException failure && KafkaFailure.of(failure) != KafkaFailure.FATAL))
                .subscribeOn(scheduler);
    }

    private static Found read(KafkaSettings settings, Deployment deployment, Consumer<Quarantined> unreadable) {
        try (PastRecords past = new PastRecords(settings, deployment, TIMEOUT)) {
            long planEnd = past.whole(Topic.PLAN).to();
            KeptPlacement kept = new KeptPlacement();
            try (PastRecords.Reading<SettledPlacement> reading =
                    past.read(Topic.PLACEMENTS, past.whole(Topic.PLACEMENTS), unreadable)) {
                for (Optional<Received<SettledPlacement>> next = reading.next();
                        next.isPresent();
                        next = reading.next()) {
                    kept.add(next.orElseThrow().value());
                }
            }
            return new Found(kept, planEnd);
        }
    }
}
