package dev.plimsoll.planner.placement;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * A layer's placement from scratch: greedy replication, then longest-processing-time packing that prefers to leave experts where
 * they are.
 *
 * <p>Replication gives each further slot to the expert with the largest load per replica (Sainte-Laguë's relative, as in
 * DeepSeek's EPLB), never more replicas than ranks. Packing takes experts by falling load per replica and puts each on the least
 * loaded rank that has a free slot and does not hold it (Graham's rule, 1969); a rank that holds it in the settled placement
 * goes first as long as it stays within the tolerance of the mean. All ties by id.
 */
final class GreedyPacking {
    private final int[] settled;
    private final double[] load;
    private final int ranks;
    private final int slotsPerRank;
    private final boolean[][] held;
    private final boolean[][] holds;
    private final int[] filled;
    private final double[] ofRank;

    /**
     * @param settled {@code [slot]}, valid
     * @param load {@code [expert]}
     */
    GreedyPacking(int[] settled, double[] load, int ranks) {
        this.settled = settled;
        this.load = load;
        this.ranks = ranks;
        this.slotsPerRank = settled.length / ranks;
        this.held = new boolean[ranks][load.length];
        this.holds = new boolean[ranks][load.length];
        this.filled = new int[ranks];
        this.ofRank = new double[ranks];
        for (int slot = 0; slot < settled.length; slot++) {
            held[slot / slotsPerRank][settled[slot]] = true;
        }
    }

    /**
     * @param tolerance how far above the mean a rank may come by keeping an expert, as a share of the mean
     * @return {@code [slot]}, the experts of a rank in order: see {@link KeptSlots}
     */
    int[] pack(double tolerance) {
        int[] replicas = replicate();
        double most = (1 + tolerance) * Arrays.stream(load).sum() / ranks;
        int[] byWeight = IntStream.range(0, load.length)
                .boxed()
                .sorted(Comparator.<Integer>comparingDouble(expert -> -load[expert] / replicas[expert])
                        .thenComparingInt(expert -> expert))
                .mapToInt(Integer::intValue)
                .toArray();
        for (int expert : byWeight) {
            double weight = load[expert] / replicas[expert];
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int rank = leastLoaded(expert, weight, most);
                if (rank >= 0) {
                    put(expert, rank, weight);
                } else {
                    makeRoom(expert, replicas);
                }
            }
        }
        return byRank();
    }

    private int[] replicate() {
        int[] replicas = new int[load.length];
        Arrays.fill(replicas, 1);
        for (int slot = load.length; slot < settled.length; slot++) {
            int most = -1;
            for (int expert = 0; expert < load.length; expert++) {
                if (replicas[expert] < ranks
                        && (most < 0 || load[expert] / replicas[expert] > load[most] / replicas[most])) {
                    most = expert;
                }
            }
            replicas[most]++;
        }
        return replicas;
    }

    /** -1 when every rank with a free slot holds the expert already. */
    private int leastLoaded(int expert, double weight, double most) {
        int least = -1;
        int leastHeld = -1;
        for (int rank = 0; rank < ranks; rank++) {
            if (filled[rank] == slotsPerRank || holds[rank][expert]) {
                continue;
            }
            if (least < 0 || ofRank[rank] < ofRank[least]) {
                least = rank;
            }
            if (held[rank][expert]
                    && ofRank[rank] + weight <= most
                    && (leastHeld < 0 || ofRank[rank] < ofRank[leastHeld])) {
                leastHeld = rank;
            }
        }
        return leastHeld >= 0 ? leastHeld : least;
    }

    private void put(int expert, int rank, double weight) {
        holds[rank][expert] = true;
        filled[rank]++;
        ofRank[rank] += weight;
    }

    /**
     * All free slots are on ranks that hold the expert. Some rank does not hold it, as no expert has more replicas than there
     * are ranks, and that rank is full; being full it holds more experts than the one with the free slot, so one of them can move
     * over there and make room.
     */
    private void makeRoom(int expert, int[] replicas) {
        int from = -1;
        int to = -1;
        int moving = -1;
        double leastMax = Double.POSITIVE_INFINITY;
        double weight = load[expert] / replicas[expert];
        for (int full = 0; full < ranks; full++) {
            for (int free = 0; free < ranks; free++) {
                if (holds[full][expert] || filled[free] == slotsPerRank) {
                    continue;
                }
                for (int other = 0; other < load.length; other++) {
                    double unit = load[other] / replicas[other];
                    double max = Math.max(ofRank[full] - unit + weight, ofRank[free] + unit);
                    if (holds[full][other] && !holds[free][other] && max < leastMax) {
                        leastMax = max;
                        from = full;
                        to = free;
                        moving = other;
                    }
                }
            }
        }
        double unit = load[moving] / replicas[moving];
        holds[from][moving] = false;
        filled[from]--;
        ofRank[from] -= unit;
        put(moving, to, unit);
        put(expert, from, weight);
    }

    private int[] byRank() {
        int[] expertOfSlot = new int[settled.length];
        int slot = 0;
        for (int rank = 0; rank < ranks; rank++) {
            for (int expert = 0; expert < load.length; expert++) {
                if (holds[rank][expert]) {
                    expertOfSlot[slot++] = expert;
                }
            }
        }
        return expertOfSlot;
    }
}
