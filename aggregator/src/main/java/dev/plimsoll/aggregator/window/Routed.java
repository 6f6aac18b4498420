package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the routers of a window sent against what its slots computed: per block of equal steps and per layer, summed over ranks, and over
 * the whole window where all of it came.
 *
 * <p>A sample carries what the routers of its own ranks sent, so it takes the samples of all ranks to compare: a layer of a block is
 * checked when both the load and the routed assignments of every rank have come, however they were spread over samples and cut by
 * layers. So a partial window is checked where it can be. Where a rank missed a snapshot that others did not, its steps are another
 * block's than theirs: these are compared in the sum of the window.
 */
final class Routed {
    private static final class Block {
        /** One row, {@code [layer · slots of a rank + slot]}, summed over ranks: it is added up per layer when it is asked for. */
        final Sums load;

        /** {@code [layer]} the same of tokens sent. */
        final long[] sent;

        final long[] routed;
        /** {@code [layer]} ranks whose load is there. */
        final int[] loaded;
        /** {@code [layer]} ranks whose routed assignments are there. */
        final int[] known;

        Block(int layers, Spares spares) {
            load = new Sums(spares);
            sent = new long[layers];
            routed = new long[layers];
            loaded = new int[layers];
            known = new int[layers];
        }

        long load(int layer, int slotsPerRank) {
            long sum = sent[layer];
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
     * Adds what one rank of a sample computed, or sent.
     *
     * @param rank one of the sample's. What its routers sent comes with its first: where that one is left out and others are not, the
     *     block stays unchecked
     */
    void add(LoadSample sample, int rank) {
        Block block = block(sample);
        if (sample.kind() == LoadKind.COMPUTED) {
            block.load.add(sample, rank, 0);
        } else {
            addSent(block, sample, rank, 1);
        }
        count(block, sample, rank, 1);
    }

    /** Takes it away. */
    void subtract(LoadSample sample, int rank) {
        Block block = block(sample);
        if (sample.kind() == LoadKind.COMPUTED) {
            block.load.subtract(sample, rank, 0);
        } else {
            addSent(block, sample, rank, -1);
        }
        count(block, sample, rank, -1);
    }

    private static void addSent(Block block, LoadSample sample, int rank, int sign) {
        int first = (rank - sample.firstRank()) * sample.layers();
        for (int i = 0; i < sample.layers(); i++) {
            block.sent[sample.firstLayer() + i] +=
                    sign * sample.load().sum((first + i) * sample.slotsPerRank(), sample.slotsPerRank());
        }
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
        return 200 + 24L * layers + Sums.bytes(1, layers * slotsPerRank, Counters.INT);
    }

    /**
     * Whether what was computed is what was routed.
     *
     * @param steps of the window
     */
    Conservation conservation(long steps) {
        List<Conservation.Violation> violations = new ArrayList<>();
        boolean all = true;
        for (int layer = 0; layer < layers; layer++) {
            Layer sums = sums(layer, steps);
            if (sums.differs) {
                violations.add(new Conservation.Violation(layer, sums.computed, sums.routed));
            }
            all &= sums.all;
        }
        if (!violations.isEmpty()) {
            return Conservation.violated(violations);
        }
        return all ? Conservation.YES : Conservation.UNKNOWN;
    }

    /**
     * @param all whether all that came of the layer was compared, and something came
     * @param computed of the blocks that differ; of all where only their sums do
     */
    private record Layer(boolean differs, boolean all, long computed, long routed) {}

    private Layer sums(int layer, long steps) {
        long computed = 0;
        long routed = 0;
        long computedByDiffering = 0;
        long routedByDiffering = 0;
        long loadedSteps = 0;
        long knownSteps = 0;
        boolean differs = false;
        boolean everyBlock = true;
        for (Map.Entry<StepRange, Block> entry : blocks.entrySet()) {
            Block block = entry.getValue();
            long load = block.load(layer, slotsPerRank);
            computed += load;
            routed += block.routed[layer];
            loadedSteps += block.loaded[layer] * entry.getKey().length();
            knownSteps += block.known[layer] * entry.getKey().length();
            boolean checkable = block.loaded[layer] == ranks && block.known[layer] == ranks;
            everyBlock &= checkable || (block.loaded[layer] == 0 && block.known[layer] == 0);
            if (checkable && load != block.routed[layer]) {
                differs = true;
                computedByDiffering += load;
                routedByDiffering += block.routed[layer];
            }
        }
        boolean whole = loadedSteps == ranks * steps && knownSteps == ranks * steps;
        if (differs) {
            return new Layer(true, true, computedByDiffering, routedByDiffering);
        }
        return new Layer(whole && computed != routed, whole || (everyBlock && loadedSteps > 0), computed, routed);
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
