package dev.plimsoll.planner.placement;

import java.util.Arrays;

/** The experts of one layer as they are put on ranks one by one: equally many on each in the end, and none twice on a rank. */
final class Packing {
    private final int slotsPerRank;
    /** {@code [rank][place]}, in the order in which they were put. */
    private final int[][] expertsOf;

    private final int[] filled;
    private final boolean[][] holds;
    private final double[] ofRank;

    Packing(int ranks, int slotsPerRank, int experts) {
        this.slotsPerRank = slotsPerRank;
        this.expertsOf = new int[ranks][slotsPerRank];
        this.filled = new int[ranks];
        this.holds = new boolean[ranks][experts];
        this.ofRank = new double[ranks];
    }

    /**
     * Packing by falling load: every replica goes to the least loaded rank that may have it (Graham's rule, 1969), replicas of
     * one expert one after the other. Ties by id. Where ranks have one slot each there is nothing to pack: experts take ranks in order
     * of ids, their further replicas the ranks after them, so that most experts are on the same rank whatever the load.
     *
     * @param load {@code [expert]}
     * @param replicas {@code [expert]}, together as many as there are slots, none more than ranks
     */
    static Packing byLoad(double[] load, int[] replicas, int ranks, int slotsPerRank) {
        Packing packing = new Packing(ranks, slotsPerRank, load.length);
        double[] unit = Replication.units(load, replicas);
        if (slotsPerRank == 1) {
            packing.putInOrder(replicas, unit);
            return packing;
        }
        for (int expert : Replication.byFalling(unit)) {
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int rank = packing.leastLoaded(expert);
                if (rank >= 0) {
                    packing.put(rank, expert, unit[expert]);
                } else {
                    packing.makeRoom(expert, unit);
                }
            }
        }
        return packing;
    }

    private void putInOrder(int[] replicas, double[] unit) {
        int further = replicas.length;
        for (int expert = 0; expert < replicas.length; expert++) {
            put(expert, expert, unit[expert]);
            for (int replica = 1; replica < replicas[expert]; replica++) {
                put(further++, expert, unit[expert]);
            }
        }
    }

    /** Whether the rank has a free slot and does not hold the expert. */
    boolean takes(int rank, int expert) {
        return filled[rank] < slotsPerRank && !holds[rank][expert];
    }

    void put(int rank, int expert, double unit) {
        expertsOf[rank][filled[rank]++] = expert;
        holds[rank][expert] = true;
        ofRank[rank] += unit;
    }

    /** The least loaded rank that takes the expert; -1 when every rank with a free slot holds it already. */
    int leastLoaded(int expert) {
        int least = -1;
        for (int rank = 0; rank < ofRank.length; rank++) {
            if (takes(rank, expert) && (least < 0 || ofRank[rank] < ofRank[least])) {
                least = rank;
            }
        }
        return least;
    }

    /**
     * Puts an expert that no rank takes, as all free slots are on ranks that hold it.
     *
     * <p>Some rank does not hold it, as no expert has more replicas than there are ranks, and that rank is full; being full it
     * holds more experts than a rank with a free slot does, so one of them can go over there and leave its slot. The exchange
     * with the smallest larger load is taken.
     *
     * @param unit {@code [expert]}, load of a replica
     */
    void makeRoom(int expert, double[] unit) {
        int from = -1;
        int to = -1;
        int leaving = -1;
        double leastMax = Double.POSITIVE_INFINITY;
        for (int full = 0; full < ofRank.length; full++) {
            for (int free = 0; free < ofRank.length && !holds[full][expert]; free++) {
                if (filled[free] == slotsPerRank) {
                    continue;
                }
                for (int place = 0; place < slotsPerRank; place++) {
                    int other = expertsOf[full][place];
                    double max = Math.max(ofRank[full] - unit[other] + unit[expert], ofRank[free] + unit[other]);
                    if (!holds[free][other] && max < leastMax) {
                        leastMax = max;
                        from = full;
                        to = free;
                        leaving = place;
                    }
                }
            }
        }
        int other = expertsOf[from][leaving];
        put(to, other, unit[other]);
        expertsOf[from][leaving] = expert;
        holds[from][other] = false;
        holds[from][expert] = true;
        ofRank[from] += unit[expert] - unit[other];
    }

    double load(int rank) {
        return ofRank[rank];
    }

    int filled(int rank) {
        return filled[rank];
    }

    /** The expert that was put on the rank at that place. */
    int expert(int rank, int place) {
        return expertsOf[rank][place];
    }

    /** The experts of a full rank, ascending. */
    int[] experts(int rank) {
        int[] experts = expertsOf[rank].clone();
        Arrays.sort(experts);
        return experts;
    }

    /** Puts something without load into every slot that is left. */
    void fill(int nothing) {
        for (int rank = 0; rank < filled.length; rank++) {
            Arrays.fill(expertsOf[rank], filled[rank], slotsPerRank, nothing);
            filled[rank] = slotsPerRank;
        }
    }

    /** {@code [slot]}, once all ranks are full. */
    int[] expertOfSlot() {
        int[] expertOfSlot = new int[ofRank.length * slotsPerRank];
        for (int rank = 0; rank < ofRank.length; rank++) {
            System.arraycopy(experts(rank), 0, expertOfSlot, rank * slotsPerRank, slotsPerRank);
        }
        return expertOfSlot;
    }
}
