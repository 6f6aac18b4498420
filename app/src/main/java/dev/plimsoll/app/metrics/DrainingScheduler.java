package dev.plimsoll.app.metrics;

import java.util.concurrent.TimeUnit;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * A scheduler that is watched, and drains as the one that it watches: Reactor's timed scheduler would cut off the task under way
 * when it is to end gracefully.
 */
final class DrainingScheduler implements Scheduler {
    private final Scheduler timed;
    private final Scheduler watched;

    DrainingScheduler(Scheduler timed, Scheduler watched) {
        this.timed = timed;
        this.watched = watched;
    }

    @Override
    public Mono<Void> disposeGracefully() {
        return watched.disposeGracefully();
    }

    @Override
    public Disposable schedule(Runnable task) {
        return timed.schedule(task);
    }

    @Override
    public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
        return timed.schedule(task, delay, unit);
    }

    @Override
    public Disposable schedulePeriodically(Runnable task, long initialDelay, long period, TimeUnit unit) {
        return timed.schedulePeriodically(task, initialDelay, period, unit);
    }

    @Override
    public Worker createWorker() {
        return timed.createWorker();
    }

    @Override
    public long now(TimeUnit unit) {
        return timed.now(unit);
    }

    @Override
    public void init() {
        timed.init();
    }

    @Override
    public void dispose() {
        timed.dispose();
    }

    @Override
    public boolean isDisposed() {
        return timed.isDisposed();
    }
}
