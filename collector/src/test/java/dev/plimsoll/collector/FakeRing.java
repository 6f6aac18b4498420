package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing.Snapshot;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A ring of what a test put into it. */
final class FakeRing implements Ring {
    final Queue<Snapshot> snapshots = new ConcurrentLinkedQueue<>();
    final long incarnation;
    volatile long heartbeat;
    volatile boolean closed;
    volatile boolean broken;
    volatile boolean wasClosed;

    FakeRing(long incarnation) {
        this.incarnation = incarnation;
    }

    @Override
    public long incarnation() {
        return incarnation;
    }

    @Override
    public Optional<Snapshot> poll() {
        return Optional.ofNullable(snapshots.poll());
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
    public void close() {
        wasClosed = true;
    }
}
