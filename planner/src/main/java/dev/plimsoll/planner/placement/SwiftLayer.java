package dev.plimsoll.planner.placement;

import java.util.Arrays;

/** One layer of {@link SwiftPolicy}: redundant slots are filled anew, then the hottest rank exchanges experts with colder ones. */
final class SwiftLayer {
    /** Max ÷ mean rank load below which a layer stays as it is. */
    private static final double GOOD_ENOUGH = 1.01;
    /** What an exchange must take off the hottest rank, as a share of the mean. */
    private static final double LEAST_FALL = 0.01;

    private static final int MOST_EXCHANGES = 100;
    private static final int FREE = -1;

    private final int[] settled;
    private final double[] load;
    private final int ranks;
    private final int slotsPerRank;
    private final int[] expertOfSlot;
    private final int[] replicas;
    /** Whether the rank holds the expert in the settled placement, so that having it takes no transfer. */
    private final boolean[][] held;

    private final boolean[][] holds;
    /** {@code [rank]}, of what is placed so far. */
    private double[] ofRank;
    /** Whether a transfer from one rank to another is taken, {@code [from][to]}. */
    private final boolean[][] taken;

    /**
     * @param settled {@code [slot]}, valid
     * @param load {@code [expert]}
     */
    SwiftLayer(int[] settled, double[] load, int ranks) {
        this.settled = settled;
        this.load = load;
        this.ranks = ranks;
        this.slotsPerRank = settled.length / ranks;
        this.expertOfSlot = settled.clone();
        this.replicas = new int[load.length];
        this.held = new boolean[ranks][load.length];
        this.holds = new boolean[ranks][load.length];
        this.ofRank = new double[ranks];
        this.taken = new boolean[ranks][ranks];
        for (int slot = 0; slot < settled.length; slot++) {
            held[slot / slotsPerRank][settled[slot]] = true;
            replicas[settled[slot]]++;
        }
    }

    /** {@code [slot]}: the settled placement where nothing with a lower peak was found. */
    int[] place() {
        countLoads();
        double before = EvenSplit.max(ofRank);
        double mean = Arrays.stream(load).sum() / ranks;
        if (before < GOOD_ENOUGH * mean || before == 0) {
            return settled;
        }
        int[] rankOfFirst = keepFirstReplicas();
        placeReplicas(rankOfFirst);
        fillWhatIsLeft();
        countLoads();
        for (int i = 0; i < MOST_EXCHANGES && exchange(LEAST_FALL * mean); i++) {
            countLoads();
        }
        return EvenSplit.max(ofRank) < before ? expertOfSlot : settled;
    }

    /** Loads of ranks from scratch, so that no rounding piles up over exchanges. */
    private void countLoads() {
        double[] counted = new double[ranks];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            if (expertOfSlot[slot] != FREE) {
                counted[slot / slotsPerRank] += unit(expertOfSlot[slot]);
            }
        }
        ofRank = counted;
    }

    private double unit(int expert) {
        return load[expert] / replicas[expert];
    }

    /**
     * Frees all redundant slots. The replica that stays is the first one in order of slots within their rank, then ranks.
     *
     * @return {@code [expert]}, the rank that its replicas are brought from
     */
    private int[] keepFirstReplicas() {
        int[] rankOfFirst = new int[load.length];
        Arrays.fill(rankOfFirst, -1);
        for (int local = 0; local < slotsPerRank; local++) {
            for (int rank = 0; rank < ranks; rank++) {
                int slot = rank * slotsPerRank + local;
                int expert = settled[slot];
                if (rankOfFirst[expert] < 0) {
                    rankOfFirst[expert] = rank;
                    holds[rank][expert] = true;
                } else {
                    expertOfSlot[slot] = FREE;
                }
            }
        }
        return rankOfFirst;
    }

    /** As many replicas as there are redundant slots, by load ÷ replicas; one that finds no rank is dropped. */
    private void placeReplicas(int[] rankOfFirst) {
        int[] wanted = Replication.byLoad(load, settled.length, ranks);
        System.arraycopy(wanted, 0, replicas, 0, replicas.length);
        double[] unit = Replication.units(load, wanted);
        countLoads();
        Arrays.fill(replicas, 1);
        for (int expert : Replication.byFalling(unit)) {
            for (int replica = 1; replica < wanted[expert]; replica++) {
                int rank = coldestFor(expert, rankOfFirst[expert]);
                if (rank < 0) {
                    break;
                }
                if (!held[rank][expert]) {
                    taken[rankOfFirst[expert]][rank] = true;
                }
                put(freeSlot(rank), expert);
                ofRank[rank] += unit[expert];
            }
        }
    }

    /** The least loaded rank with a free slot that does not hold the expert, and has it settled or may get it from its source. */
    private int coldestFor(int expert, int source) {
        int coldest = -1;
        for (int rank = 0; rank < ranks; rank++) {
            if (!holds[rank][expert]
                    && (held[rank][expert] || !taken[source][rank])
                    && (coldest < 0 || ofRank[rank] < ofRank[coldest])
                    && freeSlot(rank) >= 0) {
                coldest = rank;
            }
        }
        return coldest;
    }

    /** -1 when the rank is full. */
    private int freeSlot(int rank) {
        for (int slot = rank * slotsPerRank; slot < (rank + 1) * slotsPerRank; slot++) {
            if (expertOfSlot[slot] == FREE) {
                return slot;
            }
        }
        return -1;
    }

    private void put(int slot, int expert) {
        expertOfSlot[slot] = expert;
        holds[slot / slotsPerRank][expert] = true;
        replicas[expert]++;
    }

    /** Slots that found no replica get the expert with the hottest replicas among those that their rank lacks. */
    private void fillWhatIsLeft() {
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            if (expertOfSlot[slot] != FREE) {
                continue;
            }
            int hottest = -1;
            for (int expert = 0; expert < load.length; expert++) {
                if (!holds[slot / slotsPerRank][expert] && (hottest < 0 || unit(expert) > unit(hottest))) {
                    hottest = expert;
                }
            }
            put(slot, hottest);
        }
    }

    /** The hottest rank trades one expert with the coldest rank that it can trade with; false when there is none. */
    private boolean exchange(double leastFall) {
        int[] byFalling = Replication.byFalling(ofRank);
        int hot = byFalling[0];
        for (int i = ranks - 1; i > 0; i--) {
            int cold = byFalling[i];
            if (!taken[hot][cold] && !taken[cold][hot] && exchange(hot, cold, ofRank[hot] - leastFall)) {
                return true;
            }
        }
        return false;
    }

    private boolean exchange(int hot, int cold, double most) {
        int bestSlot = -1;
        int bestOther = -1;
        double least = most;
        for (int slot = hot * slotsPerRank; slot < (hot + 1) * slotsPerRank; slot++) {
            int expert = expertOfSlot[slot];
            for (int other = cold * slotsPerRank; other < (cold + 1) * slotsPerRank; other++) {
                if (!mayLeave(expert, hot, cold) || !mayLeave(expertOfSlot[other], cold, hot)) {
                    continue;
                }
                double shift = unit(expert) - unit(expertOfSlot[other]);
                double max = Math.max(ofRank[hot] - shift, ofRank[cold] + shift);
                if (max < least) {
                    least = max;
                    bestSlot = slot;
                    bestOther = other;
                }
            }
        }
        if (bestSlot < 0) {
            return false;
        }
        int expert = expertOfSlot[bestSlot];
        int other = expertOfSlot[bestOther];
        expertOfSlot[bestSlot] = other;
        expertOfSlot[bestOther] = expert;
        holds[hot][expert] = false;
        holds[hot][other] = true;
        holds[cold][other] = false;
        holds[cold][expert] = true;
        taken[hot][cold] = true;
        taken[cold][hot] = true;
        return true;
    }

    /** An expert that has just come to a rank cannot be sent on: the weights are not there yet. */
    private boolean mayLeave(int expert, int from, int to) {
        return held[from][expert] && !holds[to][expert];
    }
}
