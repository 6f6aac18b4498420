package dev.plimsoll.bench.race.streams;

import dev.plimsoll.model.Membership;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * The open windows of one deployment: a window closes when all ranks are past its end, or when nine of ten are half a window beyond it.
 * Threads: one.
 */
final class DeploymentWindows {
    private static final int QUORUM_PERCENT = 90;

    final Membership members;
    /** The membership as it stood in the topic, for the changelog. */
    final byte[] membership;

    final byte[] name;
    final long[] progress;
    final TreeMap<Long, WindowSums> open = new TreeMap<>();
    final int parts;
    long firstOpen;
    long late;
    boolean changed;
    private final Deque<WindowSums> spare = new ArrayDeque<>();
    private int past;
    private int beyond;

    DeploymentWindows(Membership members, byte[] membership, int parts) {
        this.members = members;
        this.membership = membership;
        this.parts = parts;
        this.name = members.deployment().id().getBytes(StandardCharsets.UTF_8);
        this.progress = new long[members.topology().ranks()];
    }

    int cells() {
        return members.shape().layers() * members.topology().slotsPerRank();
    }

    long end(long window) {
        return (window + 1) * members.windowSteps();
    }

    /** Adds a sample; what it closes is given to {@code closed}, oldest first, and must not be kept. */
    void add(SampleView sample, BiConsumer<DeploymentWindows, WindowSums> closed) {
        changed = true;
        long window = (sample.stepTo - 1) / members.windowSteps();
        if (window < firstOpen) {
            late++;
        } else {
            int boundary = (int) ((sample.stepTo - 1 - window * members.windowSteps()) / members.boundarySteps());
            int part = boundary * parts / members.boundariesPerWindow();
            if (!window(window).add(sample, part, boundary)) {
                return;
            }
        }
        boolean moved = false;
        long end = end(firstOpen);
        long grace = end + members.windowSteps() / 2;
        for (int rank = sample.firstRank; rank < sample.firstRank + sample.ranks; rank++) {
            long before = progress[rank];
            if (sample.stepTo > before) {
                progress[rank] = sample.stepTo;
                past += before < end && sample.stepTo >= end ? 1 : 0;
                beyond += before < grace && sample.stepTo >= grace ? 1 : 0;
                moved = true;
            }
        }
        while (moved && (past == progress.length || beyond * 100 >= progress.length * QUORUM_PERCENT)) {
            WindowSums window0 = window(firstOpen);
            open.remove(firstOpen);
            closed.accept(this, window0);
            spare.add(window0);
            firstOpen++;
            count();
        }
    }

    WindowSums window(long window) {
        WindowSums found = open.get(window);
        if (found == null) {
            found = (spare.isEmpty() ? new WindowSums(progress.length, cells(), parts) : spare.remove()).begin(window);
            open.put(window, found);
        }
        return found;
    }

    /** Counts anew who is past the end of the first open window. */
    void count() {
        past = 0;
        beyond = 0;
        long end = end(firstOpen);
        for (long step : progress) {
            past += step >= end ? 1 : 0;
            beyond += step >= end + members.windowSteps() / 2 ? 1 : 0;
        }
    }
}
