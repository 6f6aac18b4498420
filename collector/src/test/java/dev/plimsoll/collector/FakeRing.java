package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing.Newest;
import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.StepClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A ring of what a test put into it, with as many slots as a real one. */
final class FakeRing implements Ring {
    static final int SLOTS = 16;

    final long incarnation;
    private final List<Snapshot> published = new ArrayList<>();
    private int taken;
    /** What the steps of its rank had taken, by step. */
    final Map<Long, StepClock> clocks = new ConcurrentHashMap<>();

    volatile long heartbeat;
    volatile boolean closed;
    volatile boolean broken;
    volatile boolean unreadable;
    volatile boolean wasClosed;
    volatile boolean writerAlive = true;
    volatile boolean current = true;
    volatile Writer writer = new Writer(100, 1);

    FakeRing(long incarnation) {
        this.incarnation = incarnation;
    }

    synchronized void publish(Snapshot snapshot) {
        published.add(snapshot);
    }

    /** As a reader finds it that has not read it before. */
    synchronized void rewind() {
        taken = 0;
    }

    synchronized int published() {
        return published.size();
    }

    @Override
    public long incarnation() {
        return incarnation;
    }

    @Override
    public Writer writer() {
        return writer;
    }

    @Override
    public synchronized Optional<Snapshot> poll(int fromRank, int toRank) {
        if (unreadable) {
            throw new IllegalStateException("cut short");
        }
        int next = Math.max(taken, published.size() - SLOTS);
        if (next == published.size()) {
            return Optional.empty();
        }
        taken = next + 1;
        return Optional.of(published.get(next));
    }

    @Override
    public synchronized Optional<Newest> newest() {
        if (published.isEmpty()) {
            return Optional.empty();
        }
        Snapshot last = published.get(published.size() - 1);
        if (unreadable) {
            throw new IllegalStateException("cut short");
        }
        return Optional.of(new Newest(last.sequence(), last.step(), last.gathered()));
    }

    @Override
    public Optional<StepClock> clock(long step) {
        if (unreadable) {
            throw new IllegalStateException("cut short");
        }
        return Optional.ofNullable(clocks.get(step));
    }

    @Override
    public long heartbeatNanos() {
        return heartbeat;
    }

    @Override
    public boolean closed() {
        return closed;
    }

    @Override
    public boolean writerAlive() {
        return writerAlive;
    }

    @Override
    public boolean current() {
        return current;
    }

    @Override
    public void close() {
        wasClosed = true;
    }
}
