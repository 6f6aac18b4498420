package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A deployment and what it sees, drawn from a seed: any shape that divides, loads of all kinds, budgets and prices.
 *
 * @param windows oldest first
 * @param start the placement that the first plan starts from: the initial one, or any valid one as version 1
 * @param stagedPerRank experts that the staging memory of a rank holds
 */
record RandomInstance(
        long seed,
        ModelShape shape,
        Topology topology,
        List<ExpertLoad> windows,
        Placement start,
        Budget budget,
        MovePrices prices,
        int stagedPerRank) {
    /** Loads near this are as large as a window of all experts and sub-samples can hold. */
    private static final long HUGE = 1L << 50;

    private enum Kind {
        ZERO,
        TIES,
        ONE_HOT,
        HOT_THAT_MOVES,
        FEW_TOKENS,
        SKEWED,
        UNIFORM,
        HUGE,
        NOISY,
        DRIFT
    }

    static RandomInstance of(long seed) {
        // Neighbouring seeds start alike otherwise.
        Random random = new Random(seed * 0x9E3779B97F4A7C15L);
        int ranks = 1 + random.nextInt(random.nextInt(4) == 0 ? 3 : 9);
        int experts = 1 + random.nextInt(random.nextInt(4) == 0 ? 4 : 24);
        int least = (experts + ranks - 1) / ranks;
        // From no redundancy, where it divides, to every rank holding every expert.
        int slotsPerRank = switch (random.nextInt(5)) {
            case 0, 1 -> least;
            case 2 -> experts;
            default -> least + random.nextInt(experts - least + 1);
        };
        ModelShape shape = ModelShape.of("random", experts, 1, 0, 1 + random.nextInt(2));
        Topology topology = topology(ranks, slotsPerRank, random);
        Placement initial = Placement.initial(shape, topology);
        return new RandomInstance(
                seed,
                shape,
                topology,
                windows(shape, random),
                random.nextInt(3) == 0 ? shuffled(initial, shape, topology, random) : initial,
                budget(random),
                random.nextInt(3) == 0 ? new MovePrices(1, 3) : MovePrices.EQUAL,
                1 + random.nextInt(slotsPerRank * 2));
    }

    /** The request after a window, which the policy sees together with those before it. */
    PlanRequest request(int window, Placement settled) {
        return new PlanRequest(windows.subList(0, window + 1), settled, shape, topology, budget, prices, seed + window);
    }

    ExpertLoad newest() {
        return windows.get(windows.size() - 1);
    }

    /** Ranks in blocks of equally large nodes, or anywhere. */
    private static Topology topology(int ranks, int slotsPerRank, Random random) {
        if (random.nextInt(3) > 0) {
            return Topology.even(ranks, ranks % 2 == 0 && random.nextBoolean() ? 2 : 1, slotsPerRank);
        }
        List<Integer> nodes = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            nodes.add(random.nextInt(3));
        }
        return new Topology(nodes, slotsPerRank);
    }

    private static Budget budget(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> new Budget(1 + random.nextInt(8), Long.MAX_VALUE, 1 + random.nextInt(2), Integer.MAX_VALUE);
            case 1 -> Budget.UNLIMITED.within(1 + random.nextInt(3), 1);
            case 2 -> new Budget(1 + random.nextInt(8), 1 + random.nextInt(20), 2, 1 + random.nextInt(3));
            default -> Budget.UNLIMITED;
        };
    }

    private static List<ExpertLoad> windows(ModelShape shape, Random random) {
        int count = 1 + random.nextInt(random.nextInt(8) == 0 ? 12 : 4);
        int samples =
                random.nextInt(3) > 0 ? 1 + random.nextInt(3) : 1 + random.nextInt(random.nextInt(8) == 0 ? 40 : 8);
        Kind[] kinds = Kind.values();
        Kind kind = kinds[random.nextInt(kinds.length)];
        long[] base = new long[shape.experts()];
        for (int expert = 0; expert < base.length; expert++) {
            base[expert] = 10_000 / (1 + random.nextInt(base.length));
        }
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < count; window++) {
            if (random.nextInt(3) == 0) {
                kind = kinds[random.nextInt(kinds.length)];
            }
            long[][][] tokens = new long[shape.layers()][samples][shape.experts()];
            for (long[][] layer : tokens) {
                for (long[] sample : layer) {
                    for (int expert = 0; expert < sample.length; expert++) {
                        sample[expert] = load(kind, base, expert, window, random);
                    }
                }
            }
            windows.add(ExpertLoad.ofSamples(window, tokens));
        }
        return windows;
    }

    private static long load(Kind kind, long[] base, int expert, int window, Random random) {
        int experts = base.length;
        return switch (kind) {
            case ZERO -> 0;
            case TIES -> 7;
            case ONE_HOT -> expert == experts / 2 ? 1_000_000 : 0;
            case HOT_THAT_MOVES -> expert == window % experts ? 5_000 : base[expert] / 100;
            case FEW_TOKENS -> random.nextInt(3);
            case SKEWED -> base[expert];
            case UNIFORM -> random.nextInt(1000);
            case HUGE -> HUGE - (random.nextBoolean() ? random.nextInt(1000) : HUGE / (1 + random.nextInt(1000)));
            case NOISY -> base[expert] + random.nextInt(1 + (int) base[expert] / 4);
            case DRIFT -> base[expert] + (expert % 2 == 0 ? 300L : 20L) * window;
        };
    }

    /** Valid still after swaps of slots and of redundant replicas against others. */
    private static Placement shuffled(Placement initial, ModelShape shape, Topology topology, Random random) {
        int[][] experts = initial.toArray();
        for (int[] layer : experts) {
            for (int change = 0; change < 2 * layer.length; change++) {
                int slot = random.nextInt(layer.length);
                int other = random.nextInt(layer.length);
                int[] changed = layer.clone();
                changed[slot] = layer[other];
                changed[other] = random.nextBoolean() ? layer[slot] : layer[other];
                if (valid(changed, shape.experts(), topology.slotsPerRank())) {
                    System.arraycopy(changed, 0, layer, 0, layer.length);
                }
            }
        }
        return Placement.of(1, experts);
    }

    private static boolean valid(int[] layer, int experts, int slotsPerRank) {
        boolean[] served = new boolean[experts];
        int left = experts;
        for (int slot = 0; slot < layer.length; slot++) {
            for (int before = slot / slotsPerRank * slotsPerRank; before < slot; before++) {
                if (layer[before] == layer[slot]) {
                    return false;
                }
            }
            left -= served[layer[slot]] ? 0 : 1;
            served[layer[slot]] = true;
        }
        return left == 0;
    }
}
