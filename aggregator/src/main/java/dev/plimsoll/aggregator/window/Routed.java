package dev.plimsoll.aggregator.window;

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
        final long[] load;
        final long[] routed;
        /** {@code [layer]} ranks whose load is there. */
        final int[] loaded;
        /** {@code [layer]} ranks whose routed assignments are there. */
        final int[] known;

        Block(int layers) {
            load = new long[layers];
            routed = new long[layers];
            loaded = new int[layers];
            known = new int[layers];
        }
    }

    private final int ranks;
    private final int layers;
    private final Map<StepRange, Block> blocks = new LinkedHashMap<>();

    Routed(int ranks, int layers) {
        this.ranks = ranks;
        this.layers = layers;
    }

    /**
     * @param rank one of the sample's. What its routers sent comes with its first: where that one is left out and others are not, the
     *     block stays unchecked
     * @param loadOfLayer {@code [layer]} of the sample, computed by this rank
     */
    void add(LoadSample sample, int rank, long[] loadOfLayer, int sign) {
        Block block = blocks.computeIfAbsent(sample.steps(), steps -> new Block(layers));
        boolean withRouted = rank == sample.firstRank() && sample.routed().size() > 0;
        for (int i = 0; i < loadOfLayer.length; i++) {
            int layer = sample.firstLayer() + i;
            block.load[layer] += sign * loadOfLayer[i];
            block.loaded[layer] += sign;
            if (withRouted) {
                block.routed[layer] += sign * sample.routed().at(i);
                block.known[layer] += sign * sample.ranks();
            }
        }
    }

    /** What the blocks take, about. */
    long bytes() {
        return blocks.size() * blockBytes(layers);
    }

    /** What one block takes, about. */
    static long blockBytes(int layers) {
        return 200 + 24L * layers;
    }

    /** Layers in which what was computed is not what was routed. */
    BitSet violations() {
        BitSet violated = new BitSet(layers);
        for (Block block : blocks.values()) {
            for (int layer = 0; layer < layers; layer++) {
                boolean checkable = block.loaded[layer] == ranks && block.known[layer] == ranks;
                if (checkable && block.routed[layer] != block.load[layer]) {
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
