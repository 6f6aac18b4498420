package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What the next incarnation starts with when ranks have gone, or others join: the ranks that go on keep the experts that they hold, and as
 * few slots as can be get other weights, so that every expert has a slot. Pure.
 *
 * <p>Ranks that go on are numbered anew, in their order; those that join come behind them.
 *
 * @param start for the next incarnation, as version 0; every slot is in use
 * @param topology that it is for
 * @param loads slots whose rank does not hold the expert, in the order of layers and slots
 */
public record Survivors(Placement start, Topology topology, List<Load> loads) {
    /**
     * Weights that a rank has to get before it can serve.
     *
     * @param from a rank of the next incarnation that holds them; empty where none that goes on does: they are in the checkpoint alone
     */
    public record Load(int layer, int slot, int expert, Optional<Integer> from) {}

    public Survivors {
        loads = List.copyOf(loads);
    }

    /** Weights that nobody who goes on holds. */
    public List<Load> lost() {
        return loads.stream().filter(load -> load.from().isEmpty()).toList();
    }

    /**
     * @param settled what was served last
     * @param gone ranks that do not go on
     * @param joining ranks that had no part in it
     * @param slotsPerRank of the next incarnation
     * @throws IllegalArgumentException when there is no such placement: says what is too few or too many
     */
    public static Survivors of(
            Placement settled, ModelShape shape, Topology topology, BitSet gone, int joining, int slotsPerRank) {
        int[] living = IntStream.range(0, topology.ranks())
                .filter(rank -> !gone.get(rank))
                .toArray();
        int ranks = living.length + joining;
        if (gone.length() > topology.ranks() || living.length == 0) {
            throw new IllegalArgumentException("ranks " + gone + " of " + topology.ranks()
                    + " have gone: there must be such ranks, and one that goes on");
        }
        if ((long) ranks * slotsPerRank < shape.experts() || slotsPerRank > shape.experts()) {
            int least = (shape.experts() + ranks - 1) / ranks;
            throw new IllegalArgumentException(ranks + " ranks of " + slotsPerRank + " slots cannot hold "
                    + shape.experts() + " experts, each once or more and none twice on a rank: with " + least + " to "
                    + shape.experts() + " slots they can");
        }
        Layer[] layers = new Layer[settled.layers()];
        for (int layer = 0; layer < layers.length; layer++) {
            layers[layer] =
                    new Layer(held(settled, layer, shape, topology, living, ranks), slotsPerRank, shape.experts());
            layers[layer].fill();
        }
        List<Load> loads = new ArrayList<>();
        for (int layer = 0; layer < layers.length; layer++) {
            layers[layer].addLoads(layer, loads);
        }
        return new Survivors(
                Placement.of(0, Arrays.stream(layers).map(Layer::experts).toArray(int[][]::new)),
                topology(topology, living, joining, slotsPerRank),
                loads);
    }

    /** Those that join are on nodes of their own: where they are is said when they start. */
    private static Topology topology(Topology before, int[] living, int joining, int slotsPerRank) {
        List<Integer> nodes = new ArrayList<>();
        for (int rank : living) {
            nodes.add(before.nodeOfRank().get(rank));
        }
        int next =
                before.nodeOfRank().stream().mapToInt(Integer::intValue).max().orElse(0);
        for (int rank = 0; rank < joining; rank++) {
            nodes.add(++next);
        }
        return new Topology(nodes, slotsPerRank);
    }

    /** {@code [rank of the next incarnation][local slot]} expert, -1 for weights of none; none for those that join. */
    private static int[][] held(
            Placement settled, int layer, ModelShape shape, Topology topology, int[] living, int ranks) {
        int[] experts = settled.layer(layer);
        int[][] held = new int[ranks][0];
        for (int rank = 0; rank < living.length; rank++) {
            int first = living[rank] * topology.slotsPerRank();
            BitSet seen = new BitSet();
            held[rank] = Arrays.copyOfRange(experts, first, first + topology.slotsPerRank());
            for (int local = 0; local < held[rank].length; local++) {
                boolean kept = held[rank][local] < shape.experts() && !seen.get(held[rank][local]);
                seen.set(held[rank][local]);
                held[rank][local] = kept ? held[rank][local] : -1;
            }
        }
        return held;
    }

    /** One layer in the making: which of what a rank holds it keeps, and what comes to it. */
    private static final class Layer {
        private final int[][] held;
        private final int experts;
        /** {@code [rank][local slot]} of the next incarnation, -1 while nothing is. */
        private final int[][] slots;

        private final int[] copies;

        Layer(int[][] held, int slotsPerRank, int experts) {
            this.held = held;
            this.experts = experts;
            slots = new int[held.length][slotsPerRank];
            copies = new int[experts];
            for (int[] rank : slots) {
                Arrays.fill(rank, -1);
            }
        }

        void fill() {
            int[] keeper = keepers();
            for (int expert = 0; expert < experts; expert++) {
                if (keeper[expert] >= 0) {
                    keep(keeper[expert], expert);
                }
            }
            for (int rank = 0; rank < held.length; rank++) {
                for (int expert : held[rank]) {
                    if (expert >= 0 && local(rank, expert) < 0 && free(rank) >= 0) {
                        keep(rank, expert);
                    }
                }
            }
            for (int expert = 0; expert < experts; expert++) {
                if (copies[expert] == 0) {
                    bring(expert);
                }
            }
            for (int rank = 0; rank < slots.length; rank++) {
                while (free(rank) >= 0) {
                    put(rank, free(rank), fewest(rank));
                }
            }
        }

        /** {@code [expert]} the rank that keeps it, for as many experts as can be: a matching with ranks that hold slots each. */
        private int[] keepers() {
            int[] keeper = new int[experts];
            Arrays.fill(keeper, -1);
            int[] kept = new int[held.length];
            for (int expert = 0; expert < experts; expert++) {
                assign(expert, keeper, kept, new BitSet());
            }
            return keeper;
        }

        private boolean assign(int expert, int[] keeper, int[] kept, BitSet tried) {
            for (int rank = 0; rank < held.length; rank++) {
                if (tried.get(rank) || !holds(rank, expert)) {
                    continue;
                }
                tried.set(rank);
                if (kept[rank] < slots[rank].length) {
                    kept[rank]++;
                    keeper[expert] = rank;
                    return true;
                }
                for (int other = 0; other < experts; other++) {
                    // The rank stays full: one of its experts goes to another that holds it too.
                    if (keeper[other] == rank && assign(other, keeper, kept, tried)) {
                        keeper[expert] = rank;
                        return true;
                    }
                }
            }
            return false;
        }

        private boolean holds(int rank, int expert) {
            return Arrays.stream(held[rank]).anyMatch(one -> one == expert);
        }

        /** In the slot where it is, if that is free still. */
        private void keep(int rank, int expert) {
            int where = 0;
            while (held[rank][where] != expert) {
                where++;
            }
            boolean stays = where < slots[rank].length && slots[rank][where] < 0;
            put(rank, stays ? where : free(rank), expert);
        }

        private void put(int rank, int local, int expert) {
            slots[rank][local] = expert;
            copies[expert]++;
        }

        /** To a free slot of the rank with the most of them, else in place of a copy of the expert that has the most. */
        private void bring(int expert) {
            int to = 0;
            for (int rank = 1; rank < slots.length; rank++) {
                to = frees(rank) > frees(to) ? rank : to;
            }
            if (frees(to) > 0) {
                put(to, free(to), expert);
                return;
            }
            int most = 0;
            for (int other = 1; other < experts; other++) {
                most = copies[other] > copies[most] ? other : most;
            }
            for (int rank = 0; rank < slots.length; rank++) {
                int local = local(rank, most);
                if (local >= 0) {
                    copies[most]--;
                    put(rank, local, expert);
                    return;
                }
            }
        }

        /** The expert with the fewest copies that the rank does not have. */
        private int fewest(int rank) {
            int fewest = -1;
            for (int expert = 0; expert < experts; expert++) {
                if (local(rank, expert) < 0 && (fewest < 0 || copies[expert] < copies[fewest])) {
                    fewest = expert;
                }
            }
            return fewest;
        }

        private int local(int rank, int expert) {
            return IntStream.range(0, slots[rank].length)
                    .filter(local -> slots[rank][local] == expert)
                    .findFirst()
                    .orElse(-1);
        }

        private int free(int rank) {
            return local(rank, -1);
        }

        private long frees(int rank) {
            return Arrays.stream(slots[rank]).filter(expert -> expert < 0).count();
        }

        int[] experts() {
            return Arrays.stream(slots).flatMapToInt(Arrays::stream).toArray();
        }

        void addLoads(int layer, List<Load> loads) {
            for (int rank = 0; rank < slots.length; rank++) {
                for (int local = 0; local < slots[rank].length; local++) {
                    int expert = slots[rank][local];
                    if (!holds(rank, expert)) {
                        Optional<Integer> from = IntStream.range(0, held.length)
                                .filter(other -> holds(other, expert))
                                .boxed()
                                .findFirst();
                        loads.add(new Load(layer, rank * slots[rank].length + local, expert, from));
                    }
                }
            }
        }
    }
}
