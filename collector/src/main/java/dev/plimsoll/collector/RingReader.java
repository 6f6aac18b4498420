package dev.plimsoll.collector;

import dev.plimsoll.collector.CollectorListener.RingEnd;
import dev.plimsoll.device.HeatRing.Newest;
import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the rings of a deployment's ranks on this node. One incarnation, one thread.
 *
 * <p>A rank is of this node when its ring of this incarnation is or was here: that is what can be read when the group is lost, it
 * needs no name of the node, and several nodes of a membership may well share a directory. A gathered snapshot holds all ranks, so of
 * the rings that gather only one is read: the leader, that of the lowest rank of this node whose engine shows signs of life. A ring whose
 * newest snapshot is of its own rank alone (it never gathers, or has lost its group) is read as well. A ring that has ended, because it was closed, its process died, or its file was replaced, is read to its end
 * first, for it may hold what no other does. The order in which rings are read does not matter to the sums: counters are
 * absolute, and {@link SampleAssembler} takes from each snapshot only what is newer than what it has of that rank.
 *
 * <p>A ring that cannot be read is given up, counted and opened again after a pause; the others are read as if it were not there.
 */
final class RingReader implements AutoCloseable {
    /** The library writes a sign of life every 100 ms. */
    static final Duration HEARTBEAT_LIMIT = Duration.ofSeconds(2);

    /** Bounds one look; a ring holds fewer. */
    private static final int MOST_SNAPSHOTS = 64;

    private static final Duration BEFORE_OPENING_AGAIN = Duration.ofSeconds(1);

    /** What one snapshot gave. */
    record Captured(long capturedNanos, LoadSample sample) {}

    private static final class Reading {
        final int rank;
        final Ring ring;
        /** Of the last snapshot that was read without a pause, to count those missed. */
        long lastSequence;
        /** Why nothing more will be published: noted before the last look, so that look finds everything. */
        @Nullable
        RingEnd end;

        boolean drained;
        /** Whether it may be the leader, by the last look. */
        boolean leads;
        /** Whether its newest snapshot was of its own rank alone, by the same. */
        boolean alone;

        Reading(int rank, Ring ring) {
            this.rank = rank;
            this.ring = ring;
        }
    }

    private final Membership members;
    private final SampleAssembler assembler;
    private final Supplier<List<Integer>> ranksThere;
    private final IntFunction<Ring> open;
    private final CollectorListener listener;
    private final Map<Integer, Reading> rings = new TreeMap<>();
    /** Rings whose path names another file by now, or none. */
    private final List<Reading> replaced = new ArrayList<>();

    private final Map<Integer, Ring.Writer> writers = new HashMap<>();
    /** Ranks whose ring was opened by another process than the one before it. */
    private final Set<Integer> restarts = new TreeSet<>();

    /** Why a ring cannot be opened or read, told once. */
    private final Map<Integer, String> troubles = new HashMap<>();
    /** When a ring that was given up may be opened again. */
    private final Map<Integer, Long> givenUp = new TreeMap<>();

    private int leader = -1;
    private boolean anyOpened;

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

    /** Goes on where a predecessor has ended; before the first look. */
    void restore(List<RankCounts> counts) {
        for (RankCounts rank : counts) {
            assembler.restore(rank);
            writers.put(rank.rank(), rank.writer());
        }
    }

    /** What was taken by {@link #moved} could not be kept: it is told again. */
    void notKept() {
        assembler.movedAgain();
    }

    /** What a successor needs in order to go on; empty when that has not changed since it was asked last. */
    Optional<List<RankCounts>> moved() {
        return assembler.takeMoved() ? Optional.of(assembler.counts(writers)) : Optional.empty();
    }

    /** Opens rings that have come and notes those that have ended; cheap enough for ten times a second. */
    void lookForRings(long nowNanos) {
        for (Reading reading : List.copyOf(rings.values())) {
            if (!reading.ring.current()) {
                rings.remove(reading.rank);
                if (reading.drained) {
                    reading.ring.close();
                } else {
                    reading.end = RingEnd.REPLACED;
                    replaced.add(reading);
                }
            }
        }
        List<Integer> there = ranksThere.get();
        givenUp.keySet().retainAll(there);
        for (int rank : there) {
            if (!rings.containsKey(rank) && givenUp.getOrDefault(rank, nowNanos) <= nowNanos) {
                open(rank, nowNanos);
            }
        }
        for (Reading reading : List.copyOf(rings.values())) {
            guarded(reading, nowNanos, () -> {
                if (reading.end == null && reading.ring.closed()) {
                    reading.end = RingEnd.CLOSED;
                } else if (reading.end == null && !reading.ring.writerAlive()) {
                    reading.end = RingEnd.PROCESS_DIED;
                }
            });
        }
    }

    private void open(int rank, long nowNanos) {
        try {
            Ring ring = open.apply(rank);
            if (rank >= members.topology().ranks() || ring.incarnation() != members.incarnation()) {
                ring.close(); // left over from another life; its engine will replace it
                givenUp.remove(rank);
                return;
            }
            rings.put(rank, new Reading(rank, ring));
            anyOpened = true;
            assembler.own(rank);
            Ring.Writer before = writers.put(rank, ring.writer());
            if (before != null && !before.equals(ring.writer())) {
                restarts.add(rank);
            }
            if (!givenUp.containsKey(rank)) {
                troubles.remove(rank);
                listener.onRing(members.deployment(), rank, ring.incarnation());
            }
        } catch (RuntimeException | Error e) {
            givenUp.put(rank, nowNanos + BEFORE_OPENING_AGAIN.toNanos());
            tell(
                    rank,
                    "opening the ring of rank " + rank + " of " + members.deployment()
                            + ", which is tried every second",
                    e);
        }
    }

    /** Tried again and again, told once. */
    private void tell(int rank, String what, Throwable trouble) {
        String text = String.valueOf(trouble.getMessage());
        if (!text.equals(troubles.put(rank, text))) {
            listener.onTrouble(what, trouble);
        }
    }

    /** What goes wrong with one ring is no matter of the others. */
    private void guarded(Reading reading, long nowNanos, Runnable look) {
        try {
            look.run();
        } catch (RuntimeException | Error e) {
            rings.remove(reading.rank, reading);
            if (givenUp.put(reading.rank, nowNanos + BEFORE_OPENING_AGAIN.toNanos()) == null) {
                listener.onRingEnded(members.deployment(), reading.rank, RingEnd.UNREADABLE);
            }
            tell(reading.rank, "reading the ring of rank " + reading.rank + " of " + members.deployment(), e);
            reading.ring.close();
        }
    }

    /** Ranks of this node whose ring is here and cannot be read, ascending. */
    List<Integer> unreadable() {
        return List.copyOf(givenUp.keySet());
    }

    /** The samples that have come since, oldest first. */
    List<Captured> look(long nowNanos) {
        List<Captured> captured = new ArrayList<>();
        for (Reading reading : replaced) {
            guarded(reading, nowNanos, () -> {
                read(reading, captured);
                ended(reading);
            });
            reading.ring.close();
        }
        replaced.clear();
        // Only now: what the old processes have left is still theirs.
        restarts.forEach(assembler::restarted);
        restarts.clear();
        chooseLeader(nowNanos);
        for (Reading reading : List.copyOf(rings.values())) {
            if (!reading.drained) {
                guarded(reading, nowNanos, () -> look(reading, captured));
            }
        }
        return captured;
    }

    private void look(Reading reading, List<Captured> captured) {
        boolean wanted = reading.end != null || reading.rank == leader || reading.alone;
        if (!wanted) {
            reading.lastSequence = 0; // what is overwritten now was read from the leader's ring
        } else if (read(reading, captured) && reading.end != null) {
            ended(reading);
        }
        if (givenUp.remove(reading.rank) != null) {
            troubles.remove(reading.rank);
            listener.onRing(members.deployment(), reading.rank, members.incarnation());
        }
    }

    private void ended(Reading reading) {
        reading.drained = true;
        RingEnd end = reading.end;
        if (end != null) {
            listener.onRingEnded(members.deployment(), reading.rank, end);
        }
    }

    /** Whether nothing is left to be read, and nobody there who would write more: of a ring that cannot be read nobody knows. */
    boolean finished() {
        return anyOpened
                && givenUp.isEmpty()
                && replaced.isEmpty()
                && rings.values().stream().allMatch(reading -> reading.drained);
    }

    /** Whether all that is in the ring has been read. */
    private boolean read(Reading reading, List<Captured> captured) {
        for (int i = 0; i < MOST_SNAPSHOTS; i++) {
            Optional<Snapshot> next = reading.ring.poll(assembler.firstOwn(), assembler.endOwn());
            if (next.isEmpty()) {
                return true;
            }
            Snapshot snapshot = next.get();
            if (reading.lastSequence > 0 && snapshot.sequence() > reading.lastSequence + 1) {
                listener.onMissed(snapshot.sequence() - reading.lastSequence - 1);
            }
            reading.lastSequence = snapshot.sequence();
            List<LoadSample> samples =
                    assembler.add(reading.rank, snapshot, rank -> clock(reading, rank, snapshot.step()));
            if (!samples.isEmpty()) {
                listener.onCaptured(members.deployment(), samples.size(), snapshot.step());
            }
            for (LoadSample sample : samples) {
                captured.add(new Captured(snapshot.capturedNanos(), sample));
            }
        }
        return false;
    }

    /** What the steps of a rank had taken at a boundary: its own ring knows, and knew before any snapshot of that boundary was there. */
    private Optional<StepClock> clock(Reading reading, int rank, long step) {
        Reading own = reading.rank == rank ? reading : rings.get(rank);
        try {
            return own == null ? Optional.empty() : own.ring.clock(step);
        } catch (RuntimeException | Error e) {
            // It will be given up when it is looked at; what another ring says of its load is none the worse.
            return Optional.empty();
        }
    }

    private void chooseLeader(long nowNanos) {
        for (Reading reading : List.copyOf(rings.values())) {
            guarded(reading, nowNanos, () -> {
                // One that has ended is read to its end, whatever it holds.
                Optional<Newest> newest = reading.end == null ? reading.ring.newest() : Optional.empty();
                boolean gathered = newest.isPresent() && newest.get().gathered();
                reading.alone = newest.isPresent() && !gathered;
                reading.leads = gathered
                        && !reading.ring.closed()
                        && nowNanos - reading.ring.heartbeatNanos() < HEARTBEAT_LIMIT.toNanos();
            });
        }
        for (Reading reading : rings.values()) {
            if (reading.leads) {
                if (reading.rank != leader) {
                    leader = reading.rank;
                    listener.onLeader(members.deployment(), leader);
                }
                return;
            }
        }
        // With nobody alive the ring read last still holds its last snapshots.
    }

    /** Nothing comes for now: whichever ring comes next is chosen anew. */
    void rest() {
        leader = -1;
    }

    @Override
    public void close() {
        rings.values().forEach(reading -> reading.ring.close());
        rings.clear();
        replaced.forEach(reading -> reading.ring.close());
        replaced.clear();
    }
}
