package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.StepRange;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the routers of a window sent against what its slots computed: per block of equal steps and per layer, summed over ranks.
 *
 * <p>A sample carries what the routers of its own ranks sent, so it takes the samples of all ranks to compare: a layer of a block is
 * checked when both the load and the routed assignments of every rank have come, however they were spread over samples and cut by
 * layers. So a partial window is checked where it can be.
 */
final class Routed {
    private static final class Block {
        /** One row, {@code [layer · slots of a rank + slot]}, summed over ranks: it is added up per layer when it is asked for. */
        final Sums load;

        final long[] routed;
        /** {@code [layer]} ranks whose load is there. */
        final int[] loaded;
        /** {@code [layer]} ranks whose routed assignments are there. */
        final int[] known;

        Block(int layers, Spares spares) {
            load = new Sums(spares);
            routed = new long[layers];
            loaded = new int[layers];
            known = new int[layers];
        }

        long load(int layer, int slotsPerRank) {
            long sum = 0;
            for (int slot = 0; slot < slotsPerRank; slot++) {
                sum += load.at(0, layer * slotsPerRank + slot);
            }
            return sum;
        }
    }

    private final int ranks;
    private final int layers;
    private final int slotsPerRank;
    private final Spares spares;
    private final Map<StepRange, Block> blocks = new LinkedHashMap<>();

    /** @param spares of one row of all layers */
    Routed(int ranks, int layers, int slotsPerRank, Spares spares) {
        this.ranks = ranks;
        this.layers = layers;
        this.slotsPerRank = slotsPerRank;
        this.spares = spares;
    }

    /**
     * Adds what one rank of a sample computed.
     *
     * @param rank one of the sample's. What its routers sent comes with its first: where that one is left out and others are not, the
     *     block stays unchecked
     */
    void add(LoadSample sample, int rank) {
        Block block = block(sample);
        block.load.add(sample, rank, 0);
        count(block, sample, rank, 1);
    }

    /** Takes it away. */
    void subtract(LoadSample sample, int rank) {
        Block block = block(sample);
        block.load.subtract(sample, rank, 0);
        count(block, sample, rank, -1);
    }

    private Block block(LoadSample sample) {
        Block known = blocks.get(sample.steps());
        if (known == null) {
            known = new Block(layers, spares);
            blocks.put(sample.steps(), known);
        }
        return known;
    }

    private static void count(Block block, LoadSample sample, int rank, int sign) {
        boolean withRouted = rank == sample.firstRank() && sample.routed().size() > 0;
        for (int i = 0; i < sample.layers(); i++) {
            int layer = sample.firstLayer() + i;
            block.loaded[layer] += sign;
            if (withRouted) {
                block.routed[layer] += sign * sample.routed().at(i);
                block.known[layer] += sign * sample.ranks();
            }
        }
    }

    /** Gives its memory back. */
    void release() {
        blocks.values().forEach(block -> block.load.release());
    }

    /** What the blocks take, about. */
    long bytes() {
        return blocks.size() * blockBytes(layers, slotsPerRank);
    }

    /** What one block takes, about. */
    static long blockBytes(int layers, int slotsPerRank) {
        return 200 + 16L * layers + Sums.bytes(1, layers * slotsPerRank, Counters.INT);
    }

    /** Layers in which what was computed is not what was routed. */
    BitSet violations() {
        BitSet violated = new BitSet(layers);
        for (Block block : blocks.values()) {
            for (int layer = 0; layer < layers; layer++) {
                boolean checkable = block.loaded[layer] == ranks && block.known[layer] == ranks;
                if (checkable && block.routed[layer] != block.load(layer, slotsPerRank)) {
                    violated.set(layer);
                }
            }
        }
        return violated;
    }

    /** Assignments over all layers, of the ranks where they are known: no two blocks have the same steps of a rank. */
    long assignments() {
        long sum = 0;
        for (Block block : blocks.values()) {
            for (long routed : block.routed) {
                sum = Math.addExact(sum, routed);
            }
        }
        return sum;
    }
}
