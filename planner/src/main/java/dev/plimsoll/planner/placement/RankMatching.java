package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * The exact assignment of a placement's rows to ranks that leaves the most experts where they are.
 *
 * <p>A row is the set of experts that a planner wants together on one rank; which rank that is changes no load as long as ranks
 * are alike, only how many weights must be brought. Rows and ranks are matched by the number of experts they share and by nothing
 * else: who needs a row to stay on its node must match node by node. Among assignments that keep equally many experts, one that
 * leaves the most rows in their place is taken.
 *
 * <p>The method is shortest augmenting paths over reduced costs (Kuhn 1955, Munkres 1957; as in Jonker and Volgenant 1987): O(n³)
 * for n ranks at worst, and far less where most rows share little with most ranks. All costs are whole numbers and all loops run
 * in order of ids, so the result is the same on any JVM.
 *
 * <p>An instance keeps its arrays from call to call and belongs to one thread.
 */
final class RankMatching {
    private static final int FAR = Integer.MAX_VALUE;

    private final int ranks;
    /** {@code [row × ranks + rank]}, never positive: the more is kept, the lower. */
    private final int[] cost;
    /** Head of the list of settled slots that hold an expert, and the next slot of the same list; -1 ends it. */
    private final int[] firstSlot;

    private int[] nextSlot = new int[0];
    private final int[] rowPotential;
    private final int[] rankPotential;
    /** -1 while free. */
    private final int[] rowOfRank;

    private final int[] rankOfRow;

    /** Of one search: length of the shortest path to each rank, the row before it on that path, and whether it is final. */
    private final int[] distance;

    private final int[] rowBefore;
    private final boolean[] done;

    RankMatching(int ranks, int experts) {
        this.ranks = ranks;
        this.cost = new int[ranks * ranks];
        this.firstSlot = new int[experts];
        this.rowPotential = new int[ranks];
        this.rankPotential = new int[ranks];
        this.rowOfRank = new int[ranks];
        this.rankOfRow = new int[ranks];
        this.distance = new int[ranks];
        this.rowBefore = new int[ranks];
        this.done = new boolean[ranks];
    }

    /**
     * @param settled {@code [slot]}, valid
     * @param target {@code [slot]}, valid, with as many slots
     * @return {@code [row]}, the rank that each row of the target goes to
     */
    int[] match(int[] settled, int[] target) {
        if (settled.length != target.length || settled.length % ranks != 0) {
            throw new IllegalArgumentException("placements of " + settled.length + " and " + target.length
                    + " slots cannot be matched over " + ranks + " ranks: both must have equally many per rank");
        }
        fillCosts(settled, target);
        startWithCheapest();
        for (int row = 0; row < ranks; row++) {
            if (rankOfRow[row] < 0) {
                augment(row);
            }
        }
        return rankOfRow.clone();
    }

    /**
     * The target with its rows moved to the ranks they are matched to.
     *
     * @param settled {@code [slot]}, valid
     * @param target {@code [slot]}, valid, with as many slots
     * @return {@code [slot]}, in the target's order within a rank: see {@link KeptSlots}
     */
    int[] rearrange(int[] settled, int[] target) {
        int[] rankOf = match(settled, target);
        int slotsPerRank = target.length / ranks;
        int[] moved = new int[target.length];
        for (int row = 0; row < ranks; row++) {
            System.arraycopy(target, row * slotsPerRank, moved, rankOf[row] * slotsPerRank, slotsPerRank);
        }
        return moved;
    }

    /** How many experts are kept at most, when every row goes to the rank that it shares the most with. */
    int mostKept(int[] settled, int[] target) {
        fillCosts(settled, target);
        int kept = 0;
        for (int row = 0; row < ranks; row++) {
            int cheapest = 0;
            for (int rank = 0; rank < ranks; rank++) {
                cheapest = Math.min(cheapest, cost[row * ranks + rank]);
            }
            kept += -cheapest / (ranks + 1);
        }
        return kept;
    }

    /** A kept expert weighs more than all rows in their place together. */
    private void fillCosts(int[] settled, int[] target) {
        int slotsPerRank = settled.length / ranks;
        if (nextSlot.length < settled.length) {
            nextSlot = new int[settled.length];
        }
        Arrays.fill(firstSlot, -1);
        for (int slot = settled.length - 1; slot >= 0; slot--) {
            nextSlot[slot] = firstSlot[settled[slot]];
            firstSlot[settled[slot]] = slot;
        }
        Arrays.fill(cost, 0);
        for (int rank = 0; rank < ranks; rank++) {
            cost[rank * ranks + rank] = -1;
        }
        for (int slot = 0; slot < target.length; slot++) {
            int row = slot / slotsPerRank * ranks;
            for (int held = firstSlot[target[slot]]; held >= 0; held = nextSlot[held]) {
                cost[row + held / slotsPerRank] -= ranks + 1;
            }
        }
    }

    /** Every row asks for its cheapest ranks; who finds one free has it, the others are augmented. */
    private void startWithCheapest() {
        Arrays.fill(rankPotential, 0);
        Arrays.fill(rowOfRank, -1);
        Arrays.fill(rankOfRow, -1);
        for (int row = 0; row < ranks; row++) {
            int cheapest = FAR;
            for (int rank = 0; rank < ranks; rank++) {
                cheapest = Math.min(cheapest, cost[row * ranks + rank]);
            }
            rowPotential[row] = cheapest;
            for (int rank = 0; rank < ranks && rankOfRow[row] < 0; rank++) {
                if (cost[row * ranks + rank] == cheapest && rowOfRank[rank] < 0) {
                    rowOfRank[rank] = row;
                    rankOfRow[row] = rank;
                }
            }
        }
    }

    /** Dijkstra's search from a free row to the nearest free rank, over costs less potentials, which are never negative. */
    private void augment(int free) {
        Arrays.fill(distance, FAR);
        Arrays.fill(done, false);
        int row = free;
        int length = 0;
        int rank;
        while (true) {
            rank = -1;
            for (int next = 0; next < ranks; next++) {
                if (done[next]) {
                    continue;
                }
                int through = length + cost[row * ranks + next] - rowPotential[row] - rankPotential[next];
                if (through < distance[next]) {
                    distance[next] = through;
                    rowBefore[next] = row;
                }
                if (rank < 0
                        || distance[next] < distance[rank]
                        || (distance[next] == distance[rank] && rowOfRank[next] < 0 && rowOfRank[rank] >= 0)) {
                    rank = next;
                }
            }
            length = distance[rank];
            if (rowOfRank[rank] < 0) {
                break;
            }
            done[rank] = true;
            row = rowOfRank[rank];
        }
        for (int reached = 0; reached < ranks; reached++) {
            if (done[reached]) {
                rowPotential[rowOfRank[reached]] += length - distance[reached];
                rankPotential[reached] -= length - distance[reached];
            }
        }
        rowPotential[free] += length;
        while (rank >= 0) {
            int before = rowBefore[rank];
            int given = rankOfRow[before];
            rowOfRank[rank] = before;
            rankOfRow[before] = rank;
            rank = given;
        }
    }
}
