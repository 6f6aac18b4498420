package dev.plimsoll.planner;

import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;

/**
 * Finds verdicts on a bounded scheduler, a few at once; the others wait for their turn. Each has so much time from when it is begun,
 * and is interrupted when that is up or nobody wants it any more. Safe for all loops of a process.
 */
final class BackgroundPlans implements PlanDesk {
    private enum Stage {
        WAITING,
        BEGUN,
        OVER
    }

    private final Scheduler scheduler;
    private final Scheduler timer;
    private final Duration within;
    private final PlannerListener listener;

    /**
     * @param scheduler that plans are made on
     * @param timer that deadlines are kept by
     * @param within time for a plan
     */
    BackgroundPlans(Scheduler scheduler, Scheduler timer, Duration within, PlannerListener listener) {
        this.scheduler = scheduler;
        this.timer = timer;
        this.within = within;
        this.listener = listener;
    }

    @Override
    public Ticket begin(Supplier<Verdict> plan, Consumer<Made> done) {
        AtomicReference<Stage> stage = new AtomicReference<>(Stage.WAITING);
        Sinks.Empty<Void> begun = Sinks.empty();
        Mono<Made> made = Mono.fromCallable(() -> {
                    if (stage.compareAndSet(Stage.WAITING, Stage.BEGUN)) {
                        begun.tryEmitEmpty();
                        return Made.of(plan);
                    }
                    return late("withdrawn");
                })
                .subscribeOn(scheduler)
                // From when it is begun: while it waits for its turn, a newer window may take its place.
                .timeout(begun.asMono().then(Mono.delay(within, timer)));
        Disposable running = listener.watched(made)
                .onErrorResume(TimeoutException.class, e -> Mono.just(late("no plan within " + within)))
                .onErrorResume(e -> Mono.just(Made.failed(e, Duration.ZERO)))
                .subscribe(result -> {
                    if (stage.getAndSet(Stage.OVER) != Stage.OVER) {
                        done.accept(result);
                    }
                });
        return new Ticket() {
            @Override
            public boolean withdraw() {
                boolean inTime = stage.compareAndSet(Stage.WAITING, Stage.OVER);
                if (inTime) {
                    running.dispose();
                }
                return inTime;
            }

            @Override
            public void cancel() {
                stage.set(Stage.OVER);
                running.dispose();
            }
        };
    }

    private Made late(String why) {
        return new Made(Verdict.Keep.because(KeepReason.TIMEOUT, why), within, Optional.empty());
    }
}
