package dev.plimsoll.app.chaos;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.PlacementState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds ranks on different maps at one step: each sample says under which placement its ranks computed, and between two boundaries that
 * is the same for all. What samples say is held against the weights by the ranks themselves, which check every token.
 *
 * <p>Remembers the last hundred thousand boundaries of an incarnation. Not thread-safe.
 */
final class MapSkew {
    private static final int REMEMBERED = 100_000;

    private record Said(int rank, PlacementState state) {}

    private record Names(PlacementState one, PlacementState other) {}

    private final int boundarySteps;
    private final Map<Long, TreeMap<Long, Said>> said = new HashMap<>();
    /** What disagreed by name, with a line for each. */
    private final Map<Names, List<String>> disagreeing = new HashMap<>();

    private long compared;

    MapSkew(int boundarySteps) {
        this.boundarySteps = boundarySteps;
    }

    /** A sample that spans a flip says what holds at its end only, so that alone is compared. */
    void add(LoadSample sample) {
        TreeMap<Long, Said> ofIncarnation = said.computeIfAbsent(sample.incarnation(), none -> new TreeMap<>());
        long last = sample.steps().to() / boundarySteps - 1;
        long first = sample.mixed() ? last : sample.steps().from() / boundarySteps;
        for (long boundary = first; boundary <= last; boundary++) {
            Said other = ofIncarnation.putIfAbsent(boundary, new Said(sample.firstRank(), sample.state()));
            if (other != null) {
                compare(sample, boundary, other);
            }
        }
        while (ofIncarnation.size() > REMEMBERED) {
            ofIncarnation.pollFirstEntry();
        }
    }

    private void compare(LoadSample sample, long boundary, Said other) {
        compared++;
        if (!other.state().equals(sample.state())) {
            disagreeing
                    .computeIfAbsent(new Names(other.state(), sample.state()), none -> new ArrayList<>())
                    .add("in incarnation " + sample.incarnation() + ", from step " + boundary * boundarySteps
                            + " on, rank " + other.rank() + " served " + other.state() + " and rank "
                            + sample.firstRank() + " " + sample.state());
        }
    }

    /**
     * A line for each boundary at which a sample disagrees with the first one. A map may have two names: ranks hear at different boundaries
     * that a decision has settled, and with it the map that they have served since its last flip.
     *
     * @param settled by epoch, which is never used twice: how many batches of it were settled
     */
    List<String> findings(Map<Integer, Integer> settled) {
        List<String> findings = new ArrayList<>();
        disagreeing.forEach((names, lines) -> {
            if (!map(names.one(), settled).equals(map(names.other(), settled))) {
                findings.addAll(lines);
            }
        });
        return findings;
    }

    private static PlacementState map(PlacementState state, Map<Integer, Integer> settled) {
        if (state.epoch() == 0 || state.batchesFlipped() == 0) {
            return PlacementState.settled(state.settledVersion());
        }
        return settled.getOrDefault(state.epoch(), 0) == state.batchesFlipped()
                ? PlacementState.settled(state.epoch())
                : state;
    }

    /** How often two samples were compared. */
    long compared() {
        return compared;
    }
}
