package dev.plimsoll.planner.placement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The valid steps of the search that begin at one rank: every exchange with it, every further replica of one of its experts
 * elsewhere, and every other expert in its slots.
 *
 * <p>Left out is another expert in a slot where a third rank holds both it and the one that leaves: {@link Descent} bounds from
 * below what such a step brings, so it may pass it by.
 */
final class NaiveSteps {
    private NaiveSteps() {}

    static List<int[]> from(int[] placed, int hot, int slotsPerRank, int experts) {
        List<int[]> steps = new ArrayList<>();
        for (int slot = 0; slot < placed.length; slot++) {
            boolean here = slot / slotsPerRank == hot;
            for (int local = 0; local < slotsPerRank && !here; local++) {
                int onHot = hot * slotsPerRank + local;
                int[] exchanged = placed.clone();
                exchanged[slot] = placed[onHot];
                exchanged[onHot] = placed[slot];
                steps.add(exchanged);
                replace(steps, placed, slot, placed[onHot], slotsPerRank);
            }
            for (int expert = 0; expert < experts && here; expert++) {
                replace(steps, placed, slot, expert, slotsPerRank);
            }
        }
        steps.removeIf(step -> Arrays.equals(step, placed) || !RandomLayers.isValid(step, experts, slotsPerRank));
        return steps;
    }

    private static void replace(List<int[]> steps, int[] placed, int slot, int incoming, int slotsPerRank) {
        for (int first = 0; first < placed.length; first += slotsPerRank) {
            int[] rank = Arrays.copyOfRange(placed, first, first + slotsPerRank);
            if (slot / slotsPerRank != first / slotsPerRank && holds(rank, incoming) && holds(rank, placed[slot])) {
                return;
            }
        }
        int[] replaced = placed.clone();
        replaced[slot] = incoming;
        steps.add(replaced);
    }

    private static boolean holds(int[] rank, int expert) {
        return Arrays.stream(rank).anyMatch(held -> held == expert);
    }
}
