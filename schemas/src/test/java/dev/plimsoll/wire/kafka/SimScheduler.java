package dev.plimsoll.wire.kafka;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Time and threads of one simulation. Time jumps from event to event; an event is an action or the end of a thread's wait. The threads
 * are real, so that code under test blocks as it likes, but exactly one runs at any moment and it hands over by itself: the same events
 * give the same run.
 */
final class SimScheduler {
    /** A wait ends at the latest here, when nothing else ends it. */
    static final long NEVER = Long.MAX_VALUE;

    /** A thread of the simulation; the one that has made the scheduler is one too. */
    static final class SimThread {
        private final @Nullable SimProcess process;
        private final @Nullable Runnable body;
        private @Nullable Carrier carrier;
        /** Counts waits: an event for one that is over is void. */
        private long wait;

        private boolean ended;

        private SimThread(@Nullable SimProcess process, @Nullable Runnable body) {
            this.process = process;
            this.body = body;
        }
    }

    private record Event(
            long at,
            long number,
            @Nullable Runnable action,
            @Nullable SimThread thread,
            long ofWait) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return at == other.at ? Long.compare(number, other.number) : Long.compare(at, other.at);
        }
    }

    /** A real thread, which plays one simulated thread after another. */
    private static final class Carrier {
        private static final ConcurrentLinkedDeque<Carrier> FREE = new ConcurrentLinkedDeque<>();

        private final Thread real;
        private volatile boolean go;
        private @Nullable SimScheduler scheduler;
        private @Nullable SimThread playing;

        private Carrier(@Nullable Thread real) {
            this.real = real == null ? new Thread(this::play, "sim-carrier") : real;
            if (real == null) {
                this.real.setDaemon(true);
                this.real.start();
            }
        }

        static Carrier ofCurrent() {
            return new Carrier(Thread.currentThread());
        }

        static Carrier free() {
            Carrier carrier = FREE.poll();
            return carrier == null ? new Carrier(null) : carrier;
        }

        private void play() {
            while (true) {
                awaitGo();
                Objects.requireNonNull(scheduler).play(Objects.requireNonNull(playing), this);
            }
        }

        void awaitGo() {
            while (!go) {
                LockSupport.park(this);
            }
            go = false;
        }

        void go() {
            go = true;
            LockSupport.unpark(real);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final List<SimThread> living = new ArrayList<>();
    /** Ends of waits that came while their process stood still. */
    private final List<Event> deferred = new ArrayList<>();

    private final SimThread main = new SimThread(null, null);
    private SimThread current = main;
    private long now = 1_000_000_000_000L;
    private long numbers;
    private long dispatched;
    private @Nullable Throwable broken;

    SimScheduler() {
        main.carrier = Carrier.ofCurrent();
    }

    long now() {
        return now;
    }

    /** What an action has thrown, which is an error of the simulation. */
    @Nullable
    Throwable broken() {
        return broken;
    }

    /** How many events have happened. */
    long dispatched() {
        return dispatched;
    }

    /** Lets a little time pass in the running thread, if nothing is due before. */
    void pass(long nanos) {
        Event next = events.peek();
        if (next == null || next.at > now + nanos) {
            now += nanos;
        }
    }

    void after(long nanos, Runnable action) {
        events.add(new Event(now + nanos, numbers++, action, null, 0));
    }

    /** Starts a thread of a process, at once. */
    void start(SimProcess process, Runnable body) {
        SimThread thread = new SimThread(process, body);
        living.add(thread);
        wake(thread, 0);
    }

    SimThread current() {
        return current;
    }

    private void wake(SimThread thread, long nanos) {
        events.add(new Event(now + nanos, numbers++, null, thread, thread.wait));
    }

    /** Ends the waits of a process's threads. */
    void wakeAll(SimProcess process) {
        living.stream()
                .filter(thread -> thread.process == process && thread != current)
                .forEach(thread -> wake(thread, 0));
    }

    /** A process that stood still goes on: what its threads have missed happens now. */
    void goOn(SimProcess process) {
        for (Event event : List.copyOf(deferred)) {
            SimThread thread = Objects.requireNonNull(event.thread);
            if (thread.process == process && !thread.ended && thread.wait == event.ofWait) {
                wake(thread, 0);
            }
        }
        deferred.removeIf(event -> Objects.requireNonNull(event.thread).process == process);
    }

    boolean anyThreadOf(SimProcess process) {
        return living.stream().anyMatch(thread -> thread.process == process);
    }

    void sleep(long nanos) {
        Event next = events.peek();
        if (next == null || next.at > now + nanos) {
            now += nanos;
            return;
        }
        wake(current, nanos);
        dispatch();
    }

    /** Something that the running thread can wait for: whoever ends the wait runs it. */
    Runnable waker() {
        SimThread waiting = current;
        long wait = waiting.wait;
        return () -> {
            if (waiting.wait == wait) {
                wake(waiting, 0);
            }
        };
    }

    /** Waits until a waker that was made since the last wait is run, or time is over. */
    void await(long nanos) {
        if (nanos != NEVER) {
            wake(current, nanos);
        }
        dispatch();
    }

    /** Lets others run until it is the running thread's turn again. */
    private void dispatch() {
        SimThread self = current;
        SimThread next = next();
        if (next != self) {
            Carrier own = Objects.requireNonNull(self.carrier);
            handOver(next);
            own.awaitGo();
        }
    }

    private SimThread next() {
        while (true) {
            Event event = events.poll();
            if (event == null) {
                throw new IllegalStateException("nothing will ever happen any more");
            }
            SimThread thread = event.thread;
            if (thread != null && (thread.ended || thread.wait != event.ofWait)) {
                continue;
            }
            now = Math.max(now, event.at);
            dispatched++;
            if (thread == null) {
                try {
                    Objects.requireNonNull(event.action).run();
                } catch (Throwable e) {
                    broken = broken == null ? e : broken;
                }
                continue;
            }
            long paused = thread.process == null ? 0 : thread.process.pausedUntil();
            if (paused > now) {
                Event later = new Event(paused, numbers++, null, thread, thread.wait);
                events.add(later);
                deferred.add(later);
                continue;
            }
            thread.wait++;
            current = thread;
            return thread;
        }
    }

    private void handOver(SimThread next) {
        Carrier carrier = next.carrier;
        if (carrier == null) {
            carrier = Carrier.free();
            carrier.scheduler = this;
            carrier.playing = next;
            next.carrier = carrier;
        }
        carrier.go();
    }

    private void play(SimThread thread, Carrier carrier) {
        try {
            Objects.requireNonNull(thread.body).run();
        } catch (SimCrash e) {
            // Its process is gone.
        } catch (Throwable e) {
            Objects.requireNonNull(thread.process).world().violated("a thread ended with " + e);
        }
        thread.ended = true;
        living.remove(thread);
        thread.carrier = null;
        carrier.playing = null;
        SimThread next = next();
        // Only now may others use the carrier; it is not running any more when they do, but for its way to its wait.
        Carrier.FREE.push(carrier);
        handOver(next);
    }
}
