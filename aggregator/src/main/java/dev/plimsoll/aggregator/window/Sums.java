package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadSample;
import org.jspecify.annotations.Nullable;

/**
 * Sums of counters in rows, one per rank, as samples have them: {@code [rank][layer][slot]} and not {@code [layer][slot]}, so that a
 * rank's part of a sample is one run that is added to another.
 *
 * <p>Counters are added to sums of their own width ({@link Lanes}): then a run of them is added as a run of longs, several in each, in a
 * loop that C2 vectorises ({@link Counters#addLanes}). Before a row of such sums could overflow it is carried to wider ones, which is
 * rare: a sub-window has a handful of samples of each rank.
 */
final class Sums {
    private static final long[] NONE = {};

    private final Spares spares;
    private final int ranks;
    private final int row;
    private @Nullable Lanes shorts;
    private @Nullable Lanes ints;
    /** {@code [rank · row + i]} to be added to what the lanes have; empty until it is needed. */
    private long[] large = NONE;

    Sums(Spares spares) {
        this.spares = spares;
        this.ranks = spares.ranks();
        this.row = spares.row();
    }

    /** Gives its memory back: it is empty, and must not be used any more. */
    void release() {
        if (shorts != null) {
            spares.give(Counters.SHORT, shorts);
            shorts = null;
        }
        if (ints != null) {
            spares.give(Counters.INT, ints);
            ints = null;
        }
        large = NONE;
    }

    /** Adds what a sample has of a rank to the sums of {@code row}, where layers have the places that the sample's numbers say. */
    void add(LoadSample sample, int rank, int row) {
        int counters = sample.layers() * sample.slotsPerRank();
        int at = sample.firstLayer() * sample.slotsPerRank();
        add(sample.load(), (rank - sample.firstRank()) * counters, counters, row, at);
    }

    /** Takes it away. */
    void subtract(LoadSample sample, int rank, int row) {
        int counters = sample.layers() * sample.slotsPerRank();
        int at = sample.firstLayer() * sample.slotsPerRank();
        addLarge(sample.load(), (rank - sample.firstRank()) * counters, counters, row, at, -1);
    }

    /** Adds the counters {@code [from, from + count)} to a rank's sums from {@code at} on. */
    private void add(Counters counters, int from, int count, int rank, int at) {
        if (counters.width() == Counters.LONG) {
            addLarge(counters, from, count, rank, at, 1);
            return;
        }
        Lanes lanes = lanes(counters.width());
        if (!lanes.fits(rank, counters.bits())) {
            carry(lanes, rank);
        }
        lanes.add(counters, from, count, rank, at);
    }

    /** Adds them one by one, or takes them away. */
    private void addLarge(Counters counters, int from, int count, int rank, int at, int sign) {
        long[] sums = large();
        int target = rank * row + at;
        for (int i = 0; i < count; i++) {
            sums[target + i] += sign * counters.at(from + i);
        }
    }

    private Lanes lanes(int width) {
        Lanes known = known(width);
        if (known == null) {
            known = spares.take(width);
            if (width == Counters.SHORT) {
                shorts = known;
            } else {
                ints = known;
            }
        }
        return known;
    }

    private @Nullable Lanes known(int width) {
        return width == Counters.SHORT ? shorts : ints;
    }

    private long[] large() {
        if (large.length == 0) {
            large = new long[Math.multiplyExact(ranks, row)];
        }
        return large;
    }

    private void carry(Lanes lanes, int rank) {
        if (lanes == shorts) {
            Lanes wider = lanes(Counters.INT);
            if (!wider.fits(rank, 0xFFFF)) {
                carry(wider, rank);
            }
            wider.add(lanes, rank);
        } else {
            lanes.addTo(rank, 0, row, large(), rank * row);
        }
        lanes.clear(rank);
    }

    long at(int rank, int at) {
        return (shorts == null ? 0 : shorts.at(rank, at))
                + (ints == null ? 0 : ints.at(rank, at))
                + (large.length == 0 ? 0 : large[rank * row + at]);
    }

    /** How many sums are unpacked at a time: those of so many places, or of a multiple, begin a long in all widths. */
    static final int ALIGNED = 4;

    /** Adds a rank's sums {@code [at, at + count)} to {@code into[to]} and behind it; {@code at} is a multiple of {@link #ALIGNED}. */
    void addTo(int rank, int at, int count, long[] into, int to) {
        if (shorts != null) {
            shorts.addTo(rank, at, count, into, to);
        }
        if (ints != null) {
            ints.addTo(rank, at, count, into, to);
        }
        for (int i = 0; large.length > 0 && i < count; i++) {
            into[to + i] += large[rank * row + at + i];
        }
    }

    /** What it takes. */
    long bytes() {
        return (shorts == null ? 0 : Lanes.bytes(ranks, row, Counters.SHORT))
                + (ints == null ? 0 : Lanes.bytes(ranks, row, Counters.INT))
                + 8L * large.length;
    }

    /** What it takes at first, when counters of this width are added. */
    static long bytes(int ranks, int row, int width) {
        return width == Counters.LONG ? 8L * ranks * row : Lanes.bytes(ranks, row, width);
    }

    /** What adding these counters, so many times to each of some rows, could add to what it takes. */
    long bytesFor(Counters counters, int firstRank, int count, int times) {
        boolean lanes = counters.width() != Counters.LONG;
        Lanes known = known(counters.width());
        boolean carries = !lanes;
        for (int rank = firstRank; rank < firstRank + count && known != null; rank++) {
            carries |= !known.fits(rank, times * counters.bits());
        }
        return (lanes && known == null ? Lanes.bytes(ranks, row, counters.width()) : 0)
                + (carries && large.length == 0 ? 8L * ranks * row : 0);
    }
}
