package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LongVector;
import java.util.BitSet;

/**
 * Which boundary intervals of which ranks and layers a window has, and what came for each: a set of cells.
 *
 * <p>Nearly every cell has all layers of a rank; then an int and a long in arrays say all of it. Those that were cut by layers are kept in
 * a bit set and a set of fingerprints besides.
 */
final class Coverage {
    private final int ranks;
    private final int layers;
    /** {@code [boundary · ranks + rank]} layers taken. */
    private final int[] layersTaken;
    /** {@code [boundary · ranks + rank]} fingerprint of the cell with all layers that ends there, 0 for none. */
    private final long[] whole;
    /** {@code (boundary · ranks + rank) · layers + layer}, of what came cut. */
    private final BitSet taken = new BitSet();

    private final Fingerprints cut = new Fingerprints();
    /** {@code [rank]} boundary intervals of which all layers are there. */
    private final long[] present;

    private int presentOfAll;

    Coverage(int boundaries, int ranks, int layers) {
        this.ranks = ranks;
        this.layers = layers;
        this.layersTaken = new int[boundaries * ranks];
        this.whole = new long[boundaries * ranks];
        this.present = new long[ranks];
    }

    /** Whether anything of a cell is there; it is of the boundary intervals {@code [from, to)}. */
    boolean overlaps(int rank, int from, int to, int firstLayer, int count) {
        for (int boundary = from; boundary < to; boundary++) {
            int at = boundary * ranks + rank;
            int known = layersTaken[at];
            if (known > 0 && (known == layers || count == layers || takenBit(at, firstLayer, count))) {
                return true;
            }
        }
        return false;
    }

    private boolean takenBit(int at, int firstLayer, int count) {
        int first = at * layers + firstLayer;
        int next = taken.nextSetBit(first);
        return next >= 0 && next < first + count;
    }

    void take(int rank, int from, int to, int firstLayer, int count, long fingerprint) {
        for (int boundary = from; boundary < to; boundary++) {
            int at = boundary * ranks + rank;
            if (count < layers) {
                taken.set(at * layers + firstLayer, at * layers + firstLayer + count);
            }
            layersTaken[at] += count;
            if (layersTaken[at] == layers) {
                present[rank]++;
                presentOfAll++;
            }
        }
        if (count < layers) {
            cut.add(fingerprint);
        } else {
            whole[(to - 1) * ranks + rank] = visible(fingerprint);
        }
    }

    /** Whether that cell was taken with this content. */
    boolean has(int rank, int to, int count, long fingerprint) {
        return count < layers ? cut.contains(fingerprint) : whole[(to - 1) * ranks + rank] == visible(fingerprint);
    }

    private static long visible(long fingerprint) {
        return fingerprint == 0 ? 1 : fingerprint;
    }

    boolean complete() {
        return presentOfAll == layersTaken.length;
    }

    /** {@code [rank]} boundary intervals of which all layers are there. */
    LongVector present() {
        return LongVector.of(present);
    }

    /** What it takes; follows from what is in it. */
    long bytes() {
        return bytesOfEmpty(layersTaken.length, ranks) + taken.size() / 8 + cut.bytes();
    }

    static long bytesOfEmpty(long cells, int ranks) {
        return 12 * cells + 8L * ranks;
    }

    /** What a sample could add to that. */
    static long bytesFor(long cells, int layers, int ranksOfSample, int layersOfSample) {
        return layersOfSample == layers ? 0 : cells * layers / 8 + 64L * ranksOfSample;
    }
}
