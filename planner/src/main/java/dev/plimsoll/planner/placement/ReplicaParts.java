package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Which part of an expert's tokens each of its replicas gets, as an engine's routers share them: what rank loads are expected by.
 *
 * <p>Rules that go by the rank that a token comes from take all ranks to route equally much, and alike. Replicas are numbered in the order
 * of their slots. Deterministic; immutable.
 */
public final class ReplicaParts {
    /** Every replica gets as much. */
    public static final ReplicaParts EVEN = new ReplicaParts(ReplicaShare.EVEN, new double[0][]);

    private final ReplicaShare share;
    /** {@code [replicas][number]}, where that was measured: parts that add up to 1; empty where it was not. */
    private final double[][] measured;

    private final boolean even;

    private ReplicaParts(ReplicaShare share, double[][] measured) {
        this.share = share;
        this.measured = measured;
        even = share == ReplicaShare.EVEN
                || (isFitted(share) && Arrays.stream(measured).allMatch(parts -> parts.length == 0));
    }

    private static boolean isFitted(ReplicaShare share) {
        return share == ReplicaShare.FITTED || share == ReplicaShare.HASHED_ROW;
    }

    /** A rule that needs no measuring. */
    public static ReplicaParts of(ReplicaShare share) {
        return new ReplicaParts(share, new double[0][]);
    }

    /**
     * Those of a deployment.
     *
     * @param windows that say what replicas have got, where the rule is to be fitted: by how many there are of an expert and by their
     *     numbers, over all experts and layers; even for as many as no window has had
     */
    public static ReplicaParts of(Membership members, List<ExpertLoad> windows) {
        ReplicaShare share = members.traits().share();
        return isFitted(share) ? new ReplicaParts(share, fitted(windows)) : of(share);
    }

    private static double[][] fitted(List<ExpertLoad> windows) {
        double[][] parts = new double[SharedLoad.MOST + 1][];
        for (int replicas = 0; replicas < parts.length; replicas++) {
            double[] sum = new double[replicas];
            double all = 0;
            for (ExpertLoad window : windows) {
                for (int number = 0; number < replicas; number++) {
                    double load = window.shared().at(replicas, number);
                    sum[number] += load;
                    all += load;
                }
            }
            parts[replicas] = new double[all > 0 ? replicas : 0];
            for (int number = 0; number < parts[replicas].length; number++) {
                parts[replicas][number] = sum[number] / all;
            }
        }
        return parts;
    }

    /** Whether every replica is expected to get as much. */
    boolean even() {
        return even;
    }

    /**
     * What slots get.
     *
     * @param expertOfSlot {@code [slot]}, -1 where idle
     * @param load {@code [expert]}
     * @return {@code [slot]}
     */
    double[] slotLoads(int layer, int[] expertOfSlot, double[] load, Topology topology) {
        int[] replicas = EvenSplit.replicas(expertOfSlot, load.length);
        double[] ofSlot = new double[expertOfSlot.length];
        int[] number = new int[load.length];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int expert = expertOfSlot[slot];
            if (expert >= 0) {
                ofSlot[slot] = load[expert] * part(replicas[expert], number[expert], layer + expert, topology.ranks());
                number[expert]++;
            }
        }
        return ofSlot;
    }

    /**
     * @param first the replica that the first rank without one is dealt to, modulo their number
     */
    private double part(int replicas, int number, int first, int ranks) {
        return switch (share) {
            case EVEN -> 1.0 / replicas;
            case BY_SOURCE -> (double) dealt(ranks, replicas, number) / ranks;
            // Each keeps its own rank's tokens, which is as if that had been dealt to it too.
            case LOCAL_FIRST -> (double) dealt(ranks, replicas, Math.floorMod(number - first, replicas)) / ranks;
            case HASHED_ROW, FITTED ->
                replicas < measured.length && measured[replicas].length > 0
                        ? measured[replicas][number]
                        : 1.0 / replicas;
        };
    }

    /** How many of {@code ranks} come to a replica when they are dealt in order. */
    private static int dealt(int ranks, int replicas, int turn) {
        return ranks / replicas + (turn < ranks % replicas ? 1 : 0);
    }

    /**
     * By what an expert's load is divided for its most loaded replica, {@code [replicas]}: at most as many as there are replicas, and never
     * falling, so that for the search another replica is never a burden.
     */
    double[] divisors(int mostReplicas, int ranks) {
        double[] divisors = new double[mostReplicas + 1];
        divisors[0] = 1;
        for (int replicas = 1; replicas <= mostReplicas; replicas++) {
            double most = 0;
            for (int number = 0; number < replicas; number++) {
                most = Math.max(most, part(replicas, number, 0, ranks));
            }
            divisors[replicas] = Math.max(divisors[replicas - 1], Math.min(replicas, 1 / most));
        }
        return divisors;
    }

    /**
     * As {@link EvenSplit#rankLoads}, by these parts.
     *
     * @return {@code [rank]}
     */
    public double[] rankLoads(int layer, int[] expertOfSlot, double[] load, Topology topology) {
        if (even()) {
            return EvenSplit.rankLoads(expertOfSlot, load, topology);
        }
        double[] ofSlot = slotLoads(layer, expertOfSlot, load, topology);
        double[] ofRank = new double[topology.ranks()];
        for (int slot = 0; slot < ofSlot.length; slot++) {
            ofRank[slot / topology.slotsPerRank()] += ofSlot[slot];
        }
        return ofRank;
    }

    /** Predicted balancedness; {@code load} is {@code [layer][expert]}. */
    public Balance balance(Placement placement, double[][] load, Topology topology) {
        OptionalDouble[] balancedness = new OptionalDouble[load.length];
        for (int layer = 0; layer < load.length; layer++) {
            balancedness[layer] = Balance.ofLayer(rankLoads(layer, placement.inUse(layer), load[layer], topology));
        }
        return Balance.over(balancedness);
    }

    /** Load of the hottest rank, added up over layers: what the group's time is proportional to, as all ranks wait for it. */
    public double hottest(Placement placement, double[][] load, Topology topology) {
        double sum = 0;
        for (int layer = 0; layer < load.length; layer++) {
            sum += EvenSplit.max(rankLoads(layer, placement.inUse(layer), load[layer], topology));
        }
        return sum;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof ReplicaParts parts
                        && share == parts.share
                        && Arrays.deepEquals(measured, parts.measured));
    }

    @Override
    public int hashCode() {
        return share.hashCode() * 31 + Arrays.deepHashCode(measured);
    }

    @Override
    public String toString() {
        return share.toString();
    }
}
