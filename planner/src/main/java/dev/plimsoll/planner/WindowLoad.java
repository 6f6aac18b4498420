package dev.plimsoll.planner;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.planner.placement.ExpertLoad;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a whole window says of the experts.
 *
 * @param load tokens of every expert in the window's parts, added up over replicas and segments
 * @param served the placement of each segment, in their order
 */
public record WindowLoad(ExpertLoad load, List<Placement> served) {
    public WindowLoad {
        served = List.copyOf(served);
    }

    /** The first state of the window whose placement is not known, or of which there is no record; without one {@link #of} has an answer. */
    public static Optional<PlacementState> unknown(WindowJoin.Whole whole, KnownPlacements known) {
        List<PlacementState> states = whole.summary().states();
        for (int i = 0; i < states.size(); i++) {
            int segment = i;
            if (known.of(states.get(i)).isEmpty() || whole.rows().stream().noneMatch(row -> row.segment() == segment)) {
                return Optional.of(states.get(i));
            }
        }
        return Optional.empty();
    }

    /** @throws IllegalArgumentException when a state of the window is {@link #unknown} */
    public static WindowLoad of(WindowJoin.Whole whole, KnownPlacements known, Membership members) {
        int subWindows = subWindows(whole);
        ExpertLoad load = ExpertLoad.none(
                        whole.summary().index(),
                        members.shape().layers(),
                        subWindows,
                        members.shape().experts())
                .over(whole.summary().steps().length());
        List<Placement> served = new ArrayList<>();
        TreeMap<Integer, long[][][]> segments = segments(whole, subWindows, members);
        for (int segment = 0; segment < whole.summary().states().size(); segment++) {
            PlacementState state = whole.summary().states().get(segment);
            Placement placement = known.of(state)
                    .orElseThrow(() -> new IllegalArgumentException("nobody knows what was served at " + state));
            long[][][] slotLoad = segments.get(segment);
            if (slotLoad == null) {
                throw new IllegalArgumentException("window " + whole.summary().index() + " lacks segment " + segment);
            }
            served.add(placement);
            load = load.plus(placement, slotLoad);
        }
        return new WindowLoad(load, served);
    }

    /** Parts that all records of the window have; 1 where they disagree, as records of different aggregators' making could. */
    private static int subWindows(WindowJoin.Whole whole) {
        List<Integer> found =
                whole.rows().stream().map(LoadWindow::subWindows).distinct().toList();
        return found.size() == 1 ? found.get(0) : 1;
    }

    /** {@code segment → [layer][subWindow][slot]}. */
    private static TreeMap<Integer, long[][][]> segments(WindowJoin.Whole whole, int subWindows, Membership members) {
        TreeMap<Integer, long[][][]> segments = new TreeMap<>();
        for (LoadWindow row : whole.rows()) {
            long[][][] load = segments.computeIfAbsent(
                    row.segment(),
                    none -> new long[members.shape().layers()][subWindows]
                            [members.topology().slots()]);
            long[] values = (subWindows == 1 ? row.load() : row.subLoad()).toArray();
            int slots = row.load().size();
            for (int sub = 0; sub < subWindows; sub++) {
                System.arraycopy(values, sub * slots, load[row.layer()][sub], row.firstSlot(), slots);
            }
        }
        return segments;
    }
}
