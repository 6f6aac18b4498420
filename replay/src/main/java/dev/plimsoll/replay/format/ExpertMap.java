package dev.plimsoll.replay.format;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which experts every rank holds in every layer, as engines write it: {@code [layer][rank][local slot]}.
 *
 * <p>It is wider than a {@link dev.plimsoll.model.Placement}: ranks and layers may differ in their number of slots (OmniPlacement), and
 * an expert may stand twice on a rank (TensorRT-LLM, vLLM, SGLang, FastDeploy, LightLLM). What Plimsoll itself plans never does either.
 */
public final class ExpertMap {
    private final int[][][] experts;

    private ExpertMap(int[][][] experts) {
        this.experts = experts;
    }

    /** @param experts {@code [layer][rank][local slot]}, copied; at least one layer and one rank, as many ranks in every layer */
    public static ExpertMap of(int[][][] experts) {
        if (experts.length == 0 || experts[0].length == 0) {
            throw new IllegalArgumentException("a map needs at least one layer and one rank");
        }
        int[][][] copy = new int[experts.length][][];
        for (int layer = 0; layer < experts.length; layer++) {
            if (experts[layer].length != experts[0].length) {
                throw new IllegalArgumentException("layer " + layer + " has " + experts[layer].length
                        + " ranks, layer 0 has " + experts[0].length);
            }
            copy[layer] = new int[experts[layer].length][];
            for (int rank = 0; rank < copy[layer].length; rank++) {
                copy[layer][rank] = experts[layer][rank].clone();
                for (int expert : copy[layer][rank]) {
                    if (expert < 0) {
                        throw new IllegalArgumentException(
                                "layer " + layer + " rank " + rank + " holds expert " + expert);
                    }
                }
            }
        }
        return new ExpertMap(copy);
    }

    /**
     * A flat map: rank r owns the slots {@code [r·S, (r+1)·S)}.
     *
     * @param slots {@code [layer][slot]}
     */
    public static ExpertMap ofSlots(int[][] slots, int ranks) {
        int[][][] experts = new int[slots.length][ranks][];
        for (int layer = 0; layer < slots.length; layer++) {
            if (ranks < 1 || slots[layer].length % ranks != 0) {
                throw new IllegalArgumentException("layer " + layer + " has " + slots[layer].length + " slots, which "
                        + ranks + " ranks cannot share evenly");
            }
            int each = slots[layer].length / ranks;
            for (int rank = 0; rank < ranks; rank++) {
                experts[layer][rank] = Arrays.copyOfRange(slots[layer], rank * each, (rank + 1) * each);
            }
        }
        return of(experts);
    }

    public int layers() {
        return experts.length;
    }

    public int ranks() {
        return experts[0].length;
    }

    /** Over all ranks. */
    public int slots(int layer) {
        return Arrays.stream(experts[layer]).mapToInt(rank -> rank.length).sum();
    }

    /** A copy of the experts of one rank of one layer, in the order of its slots. */
    public int[] rank(int layer, int rank) {
        return experts[layer][rank].clone();
    }

    /** A copy of the expert of every slot of a layer, rank after rank. */
    public int[] layer(int layer) {
        return Arrays.stream(experts[layer]).flatMapToInt(Arrays::stream).toArray();
    }

    /** Whether every rank has as many slots as any other, in every layer: only then are slots numbered as in a placement. */
    public boolean even() {
        return Arrays.stream(experts).flatMap(Arrays::stream).allMatch(rank -> rank.length == experts[0][0].length);
    }

    /** Copies of an expert on a rank beyond the first, over all layers. */
    public int twiceOnARank() {
        return Arrays.stream(experts)
                .flatMap(Arrays::stream)
                .mapToInt(rank ->
                        rank.length - (int) Arrays.stream(rank).distinct().count())
                .sum();
    }

    /** The same experts on every rank, in ascending order. */
    public ExpertMap sorted() {
        ExpertMap sorted = of(experts);
        Arrays.stream(sorted.experts).flatMap(Arrays::stream).forEach(Arrays::sort);
        return sorted;
    }

    /** Experts below {@code experts} that no slot of the layer holds. */
    public List<Integer> missing(int layer, int experts) {
        boolean[] there = new boolean[experts];
        for (int expert : layer(layer)) {
            if (expert < experts) {
                there[expert] = true;
            }
        }
        return IntStream.range(0, experts)
                .filter(expert -> !there[expert])
                .boxed()
                .toList();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ExpertMap map && Arrays.deepEquals(experts, map.experts);
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(experts);
    }

    @Override
    public String toString() {
        return "map of " + layers() + " layers on " + ranks() + " ranks";
    }
}
