package dev.plimsoll.worker;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The samples of one life's ranks: what each served in the steps up to a boundary, and the windows that they add up to. */
final class SimulatedSamples {
    /** Boundaries of a window. */
    static final int WINDOW = 4;

    private final Membership members;
    private final List<PlacementState> states = new ArrayList<>();
    private final long[] present = new long[SimulatedGroup.RANKS];
    private long boundaries;

    SimulatedSamples(Membership members) {
        this.members = members;
    }

    /** Step of the boundary that ranks are at. */
    long step() {
        return boundaries * members.boundarySteps();
    }

    /**
     * Ranks that are left have run the steps to the next boundary.
     *
     * @param lost the rank whose sample nobody gets; none of that number where all arrive
     * @return a window that is over with them
     */
    Optional<WindowSummary> ran(List<SimulatedRank> ranks, int lost) {
        for (int rank = 0; rank < present.length; rank++) {
            if (!ranks.get(rank).gone && rank != lost) {
                present[rank]++;
                PlacementState served = ranks.get(rank).served();
                if (!states.contains(served)) {
                    states.add(served);
                }
            }
        }
        boundaries++;
        if (boundaries % WINDOW != 0) {
            return Optional.empty();
        }
        WindowSummary window = window(boundaries / WINDOW - 1);
        states.clear();
        Arrays.fill(present, 0);
        return Optional.of(window);
    }

    private WindowSummary window(long index) {
        LongVector cells = LongVector.of(present.clone());
        boolean complete = cells.sum() == (long) WINDOW * present.length;
        long steps = (long) WINDOW * members.boundarySteps();
        return new WindowSummary(
                members.deployment(),
                members.incarnation(),
                members.phase(),
                index,
                index - 1,
                new StepRange(index * steps, (index + 1) * steps),
                complete ? CloseReason.COMPLETE : CloseReason.GAP,
                WINDOW,
                cells,
                Balance.UNLOADED,
                states,
                0,
                Conservation.YES,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                "");
    }
}
