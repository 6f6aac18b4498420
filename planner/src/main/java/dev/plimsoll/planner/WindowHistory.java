package dev.plimsoll.planner;

import dev.plimsoll.model.Learned;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.planner.placement.ExpertLoad;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The complete windows that a plan looks back on, in the order of the log; at most so many, the oldest gives way. The newest two
 * have their sub-samples: a forecast looks inside the newest alone, and a promise is made without that one. Pure; for one thread.
 */
public final class WindowHistory {
    /** Windows that are so many indices apart, or go back, have a jump of the fold between them: neither tells of the other's time. */
    private static final int JUMP = 64;

    private record Past(ExpertLoad load, long firstOffset, long closedAtMillis) {
        Past withoutSamples() {
            return new Past(load.withoutSamples(), firstOffset, closedAtMillis);
        }

        long index() {
            return load.windowIndex();
        }
    }

    private final int most;
    private final Deque<Past> windows = new ArrayDeque<>();

    /** @param most windows that are kept, at least 2 */
    public WindowHistory(int most) {
        this.most = most;
    }

    /**
     * The next window.
     *
     * @param firstOffset of its first record in the windows topic; 0 where it is of no topic
     */
    public void add(ExpertLoad load, long firstOffset, long closedAtMillis) {
        if (windows.size() > 1) {
            // The sub-samples of all would be nine tenths of all that is kept.
            Past newest = windows.removeLast();
            windows.addLast(windows.removeLast().withoutSamples());
            windows.addLast(newest);
        }
        windows.addLast(new Past(load, firstOffset, closedAtMillis));
        if (windows.size() > most) {
            windows.removeFirst();
        }
    }

    public int size() {
        return windows.size();
    }

    /** What plans are made from, oldest first. */
    public List<ExpertLoad> loads() {
        return windows.stream().map(Past::load).toList();
    }

    /** The history as it would be had it begun with the newest so many windows. */
    public WindowHistory newest(int count) {
        WindowHistory newest = new WindowHistory(most);
        List<Past> all = new ArrayList<>(windows);
        newest.windows.addAll(all.subList(Math.max(0, all.size() - count), all.size()));
        return newest;
    }

    /** From one window to the next index, on average over those that no jump lies between; needs a window. */
    public Duration windowTime() {
        long millis = 0;
        long counted = 0;
        Past before = windows.getFirst();
        for (Past window : windows) {
            long apart = window.index() - before.index();
            if (apart > 0 && apart < JUMP) {
                millis += window.closedAtMillis() - before.closedAtMillis();
                counted += apart;
            }
            before = window;
        }
        if (counted == 0) {
            millis = before.closedAtMillis() - windows.getFirst().closedAtMillis();
            counted = Math.max(1, windows.size() - 1);
        }
        return Duration.ofMillis(Math.max(1, millis / counted));
    }

    /** Index of the oldest window; needs a window. */
    public long oldestWindow() {
        return windows.getFirst().index();
    }

    /** When the oldest window was closed; needs a window. */
    public long oldestAtMillis() {
        return windows.getFirst().closedAtMillis();
    }

    /** When the newest window was closed; empty without windows. */
    public OptionalLong newestAtMillis() {
        return windows.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(windows.getLast().closedAtMillis());
    }

    /** Offset of the oldest record that somebody needs to have this history again. */
    public OptionalLong oldestOffset() {
        return windows.stream().mapToLong(Past::firstOffset).min();
    }

    public void clear() {
        windows.clear();
    }

    /**
     * What whoever plans from these windows writes down of them; needs a window.
     *
     * @param unjudged indices of windows that no verdict was found on, for what the log says of them
     * @param learned what the gate knew besides
     */
    public PlanInputs inputs(List<Long> unjudged, Learned learned) {
        return new PlanInputs(
                windows.size(),
                windows.getFirst().index(),
                loadsHash(),
                windowTime().toMillis(),
                unjudged,
                Optional.of(learned));
    }

    /**
     * The first 8 bytes of SHA-256 over the windows, oldest first: index (8 bytes), layers, sub-samples, experts (4 bytes each), loads
     * by layer, sub-sample, expert (8 bytes each); all big-endian. The newest two have their sub-samples, the others one.
     */
    public long loadsHash() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            windows.forEach(window -> add(window.load(), digest));
            return ByteBuffer.wrap(digest.digest()).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static void add(ExpertLoad load, MessageDigest digest) {
        ByteBuffer head = ByteBuffer.allocate(20);
        head.putLong(load.windowIndex())
                .putInt(load.layers())
                .putInt(load.samples())
                .putInt(load.experts());
        digest.update(head.array());
        ByteBuffer row = ByteBuffer.allocate(8 * load.experts());
        for (int layer = 0; layer < load.layers(); layer++) {
            for (int sample = 0; sample < load.samples(); sample++) {
                row.clear();
                for (int expert = 0; expert < load.experts(); expert++) {
                    row.putLong(load.at(layer, sample, expert));
                }
                digest.update(row.array());
            }
        }
    }
}
