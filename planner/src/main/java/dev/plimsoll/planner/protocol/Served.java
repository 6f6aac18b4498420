package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.StepRange;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a window shows of what ranks serve.
 *
 * @param silent ranks that are not in it with all their samples; of a complete window none
 * @param states every placement state under which something was computed
 */
public record Served(StepRange steps, List<RankId> silent, List<Segment> states) {
    /**
     * The part of a window under one placement state.
     *
     * @param ranks that have computed in it; a rank that had no tokens is in none
     */
    public record Segment(PlacementState state, List<RankId> ranks) {
        public Segment {
            ranks = List.copyOf(ranks);
        }

        @Override
        public String toString() {
            return state + " by " + names(ranks);
        }
    }

    public Served {
        silent = List.copyOf(silent);
        states = List.copyOf(states);
    }

    boolean complete() {
        return silent.isEmpty();
    }

    /** Such as {@code v3 by ranks 0, 1 and v3+4.1 by rank 2}. */
    String seen() {
        return states.isEmpty()
                ? "nothing"
                : states.stream().map(Segment::toString).collect(Collectors.joining(" and "));
    }

    static String names(List<RankId> ranks) {
        return switch (ranks.size()) {
            case 0 -> "no rank";
            case 1 -> ranks.get(0).toString();
            default -> "ranks " + ranks.stream().map(rank -> "" + rank.index()).collect(Collectors.joining(", "));
        };
    }
}
