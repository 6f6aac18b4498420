package dev.plimsoll.bench.race.streams;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The sums of one open window, on the heap, in the order of a sample's counters. Used again for later windows. Threads: one. */
final class WindowSums {
    static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long SHORT = 0xffff;

    final int ranks;
    final int parts;
    /** Counters of a rank. */
    final int cells;
    /** {@code [part][rank][layer][slot]}. */
    final long[] sums;
    /** {@code [rank]} a bit for every boundary that is here; windows have at most 64. */
    final long[] present;
    /** {@code [part][firstRank]} which blocks a commit has to write. */
    final boolean[] dirty;
    /** {@code [part][firstRank]} how many ranks the block has that a commit has written, 0 for none. */
    final int[] written;

    /** {@code [firstRank]} how many ranks the samples have that begin with this one. */
    final int[] blockRanks;

    long index;
    boolean changed;
    boolean presentWritten;

    WindowSums(int ranks, int cells, int parts) {
        this.ranks = ranks;
        this.cells = cells;
        this.parts = parts;
        this.sums = new long[parts * ranks * cells];
        this.present = new long[ranks];
        this.dirty = new boolean[parts * ranks];
        this.written = new int[parts * ranks];
        this.blockRanks = new int[ranks];
    }

    WindowSums begin(long window) {
        index = window;
        changed = false;
        presentWritten = false;
        Arrays.fill(sums, 0);
        Arrays.fill(present, 0);
        Arrays.fill(dirty, false);
        Arrays.fill(written, 0);
        return this;
    }

    /** False when one of its cells is here already. */
    boolean add(SampleView sample, int part, int boundary) {
        long bit = 1L << boundary;
        for (int rank = sample.firstRank; rank < sample.firstRank + sample.ranks; rank++) {
            if ((present[rank] & bit) != 0) {
                return false;
            }
            present[rank] |= bit;
        }
        add(sample, sums, (part * ranks + sample.firstRank) * cells);
        blockRanks[sample.firstRank] = sample.ranks;
        dirty[part * ranks + sample.firstRank] = true;
        changed = true;
        return true;
    }

    /** The loops that all is about: four counters are loaded at a time where they have two bytes. */
    static void add(SampleView sample, long[] sums, int to) {
        byte[] bytes = sample.bytes;
        int from = sample.countersAt;
        int count = sample.counters;
        if (sample.width == Integer.BYTES) {
            for (int i = 0; i < count; i++) {
                sums[to + i] += (int) INTS.get(bytes, from + i * Integer.BYTES);
            }
            return;
        }
        int fours = count & -4;
        for (int i = 0; i < fours; i += 4) {
            long word = (long) LONGS.get(bytes, from + i * Short.BYTES);
            sums[to + i] += word & SHORT;
            sums[to + i + 1] += word >>> 16 & SHORT;
            sums[to + i + 2] += word >>> 32 & SHORT;
            sums[to + i + 3] += word >>> 48;
        }
        for (int i = fours; i < count; i++) {
            sums[to + i] += (short) SHORTS.get(bytes, from + i * Short.BYTES) & SHORT;
        }
    }

    long at(int part, int rank, int cell) {
        return sums[(part * ranks + rank) * cells + cell];
    }

    int boundaries() {
        int most = 0;
        for (long bits : present) {
            most += Long.bitCount(bits);
        }
        return most;
    }
}
