package dev.plimsoll.app.bench;

import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.Device;
import dev.plimsoll.device.DeviceMemory;
import dev.plimsoll.device.HeatCapture;
import dev.plimsoll.device.Stream;
import dev.plimsoll.device.Verdict;
import dev.plimsoll.device.Vote;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The ranks of a group, all in this process: each has its compute stream, its counters, its ring and the ring's threads, and
 * they gather over shared memory. One thread is the dispatch thread of them all, and it alone may use this.
 */
final class RankGroup implements AutoCloseable {
    private static final int BOUNDARY_STEPS = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int VOTE_WORDS = 4;

    /**
     * When things happened at one boundary, on the clock of {@link System#nanoTime}.
     *
     * @param begun before the first rank's begin
     * @param closing before the last rank's end: all but its contribution are in or under way
     * @param dispatched after the last rank's end
     * @param heard when the last ring's listener was told
     */
    record Round(long begun, long closing, long dispatched, long heard) {}

    private record Rank(Stream compute, HeatCapture ring) {}

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final List<Rank> ranks = new ArrayList<>();
    private final Vote vote = Vote.none(1, 0);
    private final AtomicLong heard = new AtomicLong();
    private final AtomicReference<Verdict.Outcome> outcome = new AtomicReference<>(Verdict.Outcome.RESOLVED);
    private volatile CountDownLatch waiting = new CountDownLatch(0);
    private long step;

    /**
     * Opens a group.
     *
     * @param segment the group's file in shared memory; the rings' are beside it, with the rank behind its name
     * @param files whether each ring writes its file, as an engine's does
     */
    RankGroup(Device device, Path segment, int size, int layers, int slots, boolean files) {
        try {
            for (int rank = 0; rank < size; rank++) {
                DeviceMemory load = opened(device.allocate((long) Long.BYTES * layers * slots));
                DeviceMemory routed = opened(device.allocate((long) Long.BYTES * layers));
                Stream compute = opened(device.stream("compute-" + rank));
                Communicator communicator = opened(
                        Communicator.open(device, segment, 1, size, rank, bytesPerRank(layers, slots), 0, PATIENCE));
                Optional<Path> file = files ? Optional.of(Path.of(segment + "-ring-" + rank)) : Optional.empty();
                HeatCapture ring = opened(HeatCapture.open(
                        device,
                        communicator,
                        new HeatCapture.Options(
                                file,
                                "bench/device",
                                1,
                                rank,
                                size,
                                layers,
                                slots,
                                BOUNDARY_STEPS,
                                load.address(),
                                routed.address())));
                ring.listen((step, ended) -> {
                    long now = System.nanoTime();
                    heard.accumulateAndGet(now, RankGroup::later);
                    if (ended != Verdict.Outcome.RESOLVED) {
                        outcome.set(ended);
                    }
                    waiting.countDown();
                });
                ranks.add(new Rank(compute, ring));
            }
        } catch (RuntimeException e) {
            closeOpened();
            throw e;
        }
    }

    /** What one rank gives to a gather: its vote, its loads, what it routed. */
    static long bytesPerRank(int layers, int slots) {
        return Long.BYTES * (VOTE_WORDS + (long) layers * slots + layers);
    }

    /** Memory that a group takes, roughly: what three boundaries in flight gather on each ring, and as much again for two. */
    static long memory(int size, int layers, int slots) {
        return 5L * size * size * bytesPerRank(layers, slots);
    }

    private <T extends AutoCloseable> T opened(T part) {
        opened.push(part);
        return part;
    }

    private static long later(long one, long other) {
        return one - other >= 0 ? one : other;
    }

    /** One boundary of all ranks: returns when every ring has told its listener that the group's snapshot is complete. */
    Round round() throws InterruptedException {
        CountDownLatch all = new CountDownLatch(ranks.size());
        waiting = all;
        long begun = System.nanoTime();
        heard.set(begun);
        for (Rank rank : ranks) {
            rank.ring().begin(rank.compute(), step, PATIENCE);
        }
        long closing = begun;
        for (Rank rank : ranks) {
            closing = System.nanoTime();
            rank.ring().end(vote);
        }
        long dispatched = System.nanoTime();
        if (!all.await(PATIENCE.toSeconds(), TimeUnit.SECONDS) || outcome.get() != Verdict.Outcome.RESOLVED) {
            throw new IllegalStateException("the boundary at step " + step + " of " + ranks.size()
                    + " ranks was not gathered: " + all.getCount() + " rings have not ended it within "
                    + PATIENCE.toSeconds() + " s, the last outcome was " + outcome.get());
        }
        step += BOUNDARY_STEPS;
        return new Round(begun, closing, dispatched, heard.get());
    }

    /** Boundaries at which a ring carried no heat: they cost less, so a measurement has none. */
    long skipped() {
        return ranks.stream().mapToLong(rank -> rank.ring().stats().skipped()).sum();
    }

    private void closeOpened() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot close a rank of the group: " + e.getMessage(), e);
            }
        }
    }

    @Override
    public void close() {
        closeOpened();
    }
}
