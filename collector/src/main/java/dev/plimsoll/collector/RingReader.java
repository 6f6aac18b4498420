package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Reads the ring of the lowest rank whose engine shows signs of life, and goes on with the next when it does not: every ring of a
 * gathering group holds the heat of all ranks. One incarnation, one thread.
 */
final class RingReader implements AutoCloseable {
    /** The library writes a sign of life every 100 ms. */
    static final Duration HEARTBEAT_LIMIT = Duration.ofSeconds(2);

    /** Bounds one look; a ring holds fewer. */
    private static final int MOST_SNAPSHOTS = 64;

    /** What one snapshot gave. */
    record Captured(long capturedNanos, LoadSample sample) {}

    private final Membership members;
    private final SampleAssembler assembler;
    private final Supplier<List<Integer>> ranksThere;
    private final IntFunction<Ring> open;
    private final CollectorListener listener;
    private final Map<Integer, Ring> rings = new TreeMap<>();
    private int reading = -1;

    RingReader(
            Membership members,
            SampleAssembler assembler,
            Supplier<List<Integer>> ranksThere,
            IntFunction<Ring> open,
            CollectorListener listener) {
        this.members = members;
        this.assembler = assembler;
        this.ranksThere = ranksThere;
        this.open = open;
        this.listener = listener;
    }

    /** Opens rings that have come; cheap enough for a few times a second. */
    void lookForRings() {
        for (int rank : ranksThere.get()) {
            if (!rings.containsKey(rank)) {
                try {
                    Ring ring = open.apply(rank);
                    if (ring.incarnation() == members.incarnation()) {
                        rings.put(rank, ring);
                    } else {
                        ring.close(); // left over from another life; its engine will replace it
                    }
                } catch (RuntimeException e) {
                    listener.onTrouble("opening the ring of rank " + rank + ", which may not be complete yet", e);
                }
            }
        }
    }

    /** The samples that have come since, oldest first. */
    List<Captured> look(long nowNanos) {
        choose(nowNanos);
        List<Captured> captured = new ArrayList<>();
        Ring ring = rings.get(reading);
        if (ring == null) {
            return captured;
        }
        Optional<Snapshot> snapshot = ring.poll();
        for (int i = 1; snapshot.isPresent(); i++) {
            List<LoadSample> samples = assembler.add(snapshot.get());
            if (!samples.isEmpty()) {
                listener.onCaptured(samples.size(), snapshot.get().step());
            }
            for (LoadSample sample : samples) {
                captured.add(new Captured(snapshot.get().capturedNanos(), sample));
            }
            snapshot = i < MOST_SNAPSHOTS ? ring.poll() : Optional.empty();
        }
        return captured;
    }

    private void choose(long nowNanos) {
        int lowest = -1;
        for (Map.Entry<Integer, Ring> entry : rings.entrySet()) {
            Ring ring = entry.getValue();
            boolean alive = nowNanos - ring.heartbeatNanos() < HEARTBEAT_LIMIT.toNanos();
            if (alive && !ring.closed()) {
                lowest = entry.getKey();
                break;
            }
        }
        // With nobody alive the ring read last still holds its last snapshots.
        if (lowest >= 0 && lowest != reading) {
            reading = lowest;
            assembler.ringChanged();
            listener.onRing(lowest, members.incarnation());
        }
    }

    @Override
    public void close() {
        rings.values().forEach(Ring::close);
        rings.clear();
    }
}
