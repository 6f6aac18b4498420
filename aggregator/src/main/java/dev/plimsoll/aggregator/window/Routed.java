package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.StepRange;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the routers of a window sent against what its slots computed: per block of steps and layers, over all ranks.
 *
 * <p>Every sample of a block carries the block's routed assignments of <em>all</em> ranks, whichever ranks it covers, so they count once.
 * A block is checked when all ranks have come and its routed assignments are known; so a partial window is checked where it can be.
 */
final class Routed {
    private record BlockKey(StepRange steps, int firstLayer, int layers) {}

    private static final class Block {
        final long[] load;
        LongVector routed = LongVector.empty();
        int ranks;
        boolean disagree;

        Block(int layers) {
            load = new long[layers];
        }
    }

    private final int ranks;
    private final int layers;
    private final Map<BlockKey, Block> blocks = new LinkedHashMap<>();

    Routed(int ranks, int layers) {
        this.ranks = ranks;
        this.layers = layers;
    }

    /** @param loadOfLayer {@code [layer]} of the sample, computed by one rank */
    void add(LoadSample sample, long[] loadOfLayer, int sign) {
        Block block = blocks.computeIfAbsent(
                new BlockKey(sample.steps(), sample.firstLayer(), sample.layers()), key -> new Block(sample.layers()));
        for (int layer = 0; layer < loadOfLayer.length; layer++) {
            block.load[layer] += sign * loadOfLayer[layer];
        }
        block.ranks += sign;
        if (block.routed.size() == 0) {
            block.routed = sample.routed();
        } else if (sample.routed().size() != 0 && !sample.routed().equals(block.routed)) {
            block.disagree = true;
        }
    }

    /** What the blocks take, about. */
    long bytes() {
        return blocks.size() * blockBytes(layers);
    }

    /** What one block of all layers takes, about. */
    static long blockBytes(int layers) {
        return 200 + 16L * layers;
    }

    /** Layers in which what was computed is not what was routed, or emitters disagree on what was routed. */
    BitSet violations() {
        BitSet violated = new BitSet(layers);
        blocks.forEach((key, block) -> {
            for (int layer = 0; layer < key.layers; layer++) {
                boolean checkable = block.routed.size() != 0 && block.ranks == ranks;
                if (block.disagree || (checkable && block.routed.at(layer) != block.load[layer])) {
                    violated.set(key.firstLayer + layer);
                }
            }
        });
        return violated;
    }

    /** Assignments over all layers, where known; of blocks that overlap, as emitters may cut differently, the first counts. */
    long assignments(long windowFrom, int boundarySteps) {
        BitSet seen = new BitSet();
        long sum = 0;
        for (Map.Entry<BlockKey, Block> entry : blocks.entrySet()) {
            BlockKey key = entry.getKey();
            LongVector routed = entry.getValue().routed;
            if (routed.size() == 0 || !claim(seen, key, windowFrom, boundarySteps)) {
                continue;
            }
            sum = Math.addExact(sum, Arrays.stream(routed.toArray()).reduce(0, Math::addExact));
        }
        return sum;
    }

    private boolean claim(BitSet seen, BlockKey key, long windowFrom, int boundarySteps) {
        int first = (int) ((key.steps.from() - windowFrom) / boundarySteps);
        int end = (int) ((key.steps.to() - windowFrom) / boundarySteps);
        for (int interval = first; interval < end; interval++) {
            int from = interval * layers + key.firstLayer;
            if (!seen.get(from, from + key.layers).isEmpty()) {
                return false;
            }
        }
        for (int interval = first; interval < end; interval++) {
            int from = interval * layers + key.firstLayer;
            seen.set(from, from + key.layers);
        }
        return true;
    }
}
