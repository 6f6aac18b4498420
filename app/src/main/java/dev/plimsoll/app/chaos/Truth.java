package dev.plimsoll.app.chaos;

import dev.plimsoll.model.RankId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.simulator.Traffic;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.LongConsumer;

/**
 * What the ranks of one deployment have really computed, to the token: a copy of the simulator's own counters at every boundary, taken
 * beside everything that captures, gathers, collects and folds.
 *
 * <p>Any thread.
 */
final class Truth {
    private final int ranks;
    private final int cellsPerRank;
    private final int boundarySteps;
    /** {@code [boundary][rank][layer][slot]} counters since the first step. */
    private final List<long[]> totals = new ArrayList<>();

    /** @param cellsPerRank layers × slots of a rank */
    Truth(int ranks, int cellsPerRank, int boundarySteps) {
        this.ranks = ranks;
        this.cellsPerRank = cellsPerRank;
        this.boundarySteps = boundarySteps;
    }

    /**
     * Notes all counters as they are after so many steps; a step that is no boundary, or noted already, is passed over.
     *
     * @param copy fills in the counters of a rank
     */
    synchronized void note(long steps, BiConsumer<RankId, long[]> copy) {
        if (steps % boundarySteps != 0 || steps / boundarySteps < totals.size()) {
            return;
        }
        if (steps / boundarySteps != totals.size()) {
            throw new IllegalStateException(
                    "step " + steps + " is noted after step " + (totals.size() - 1L) * boundarySteps);
        }
        long[] all = new long[ranks * cellsPerRank];
        long[] one = new long[cellsPerRank];
        for (int rank = 0; rank < ranks; rank++) {
            copy.accept(new RankId(rank), one);
            System.arraycopy(one, 0, all, rank * cellsPerRank, cellsPerRank);
        }
        totals.add(all);
    }

    /** Whether a range begins and ends at boundaries that were noted. */
    synchronized boolean knows(StepRange steps) {
        return steps.from() % boundarySteps == 0
                && steps.to() % boundarySteps == 0
                && steps.to() / boundarySteps < totals.size();
    }

    /** {@code [layer][slot]} tokens that a rank computed in a range that is known. */
    synchronized long[] load(int rank, StepRange steps) {
        long[] before = totals.get((int) (steps.from() / boundarySteps));
        long[] after = totals.get((int) (steps.to() / boundarySteps));
        long[] load = new long[cellsPerRank];
        for (int cell = 0; cell < cellsPerRank; cell++) {
            load[cell] = after[rank * cellsPerRank + cell] - before[rank * cellsPerRank + cell];
        }
        return load;
    }

    /** Traffic that tells before each step how many are done: then all streams are synchronised and no kernel runs. */
    static Traffic told(Traffic traffic, LongConsumer steps) {
        return new Traffic() {
            @Override
            public int lanes() {
                return traffic.lanes();
            }

            @Override
            public int layers() {
                return traffic.layers();
            }

            @Override
            public int experts() {
                return traffic.experts();
            }

            @Override
            public int topK() {
                return traffic.topK();
            }

            @Override
            public void step(long step, short[] picks) {
                steps.accept(step);
                traffic.step(step, picks);
            }
        };
    }
}
