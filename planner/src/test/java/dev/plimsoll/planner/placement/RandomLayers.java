package dev.plimsoll.planner.placement;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** Seeded random layers for checks of the search: loads in scenarios, and valid placements. */
final class RandomLayers {
    private RandomLayers() {}

    /** Skewed loads without ties, that rise and fall together in up to 7 random ways. */
    static Scenarios scenarios(Random random, int experts, int ranks) {
        double[] share = shares(random, experts);
        double[][] directions = new double[random.nextInt(Scenarios.COUNT)][experts];
        for (double[] direction : directions) {
            double sum = 0;
            for (int expert = 0; expert < experts; expert++) {
                direction[expert] = 0.4 * share[expert] * random.nextGaussian();
                sum += direction[expert];
            }
            for (int expert = 0; expert < experts; expert++) {
                direction[expert] -= sum * share[expert];
            }
        }
        return Scenarios.of(share, directions, ranks, 0);
    }

    /** {@code [expert]}, positive, adds up to 1. */
    static double[] shares(Random random, int experts) {
        double[] share = new double[experts];
        double sum = 0;
        for (int expert = 0; expert < experts; expert++) {
            double part = random.nextDouble();
            share[expert] = 0.02 + part * part * part;
            sum += share[expert];
        }
        for (int expert = 0; expert < experts; expert++) {
            share[expert] /= sum;
        }
        return share;
    }

    /** Every expert at least once, none twice on a rank; {@code [slot]}. */
    static int[] placement(Random random, int experts, int ranks, int slotsPerRank) {
        int[] replicas = new int[experts];
        List<Integer> mostFirst = new ArrayList<>();
        for (int slot = 0; slot < ranks * slotsPerRank; slot++) {
            int expert = slot;
            while (expert >= experts || replicas[expert] == ranks) {
                expert = random.nextInt(experts);
            }
            replicas[expert]++;
        }
        for (int expert = 0; expert < experts; expert++) {
            mostFirst.add(expert);
        }
        Collections.shuffle(mostFirst, random);
        mostFirst.sort(Comparator.comparingInt(expert -> -replicas[expert]));
        // Whoever has the most replicas goes first, to the ranks with the most room, so that all of them find one.
        int[] placed = new int[ranks * slotsPerRank];
        int[] held = new int[ranks];
        for (int expert : mostFirst) {
            List<Integer> emptiest = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                emptiest.add(rank);
            }
            Collections.shuffle(emptiest, random);
            emptiest.sort(Comparator.comparingInt(rank -> held[rank]));
            for (int rank : emptiest.subList(0, replicas[expert])) {
                placed[rank * slotsPerRank + held[rank]++] = expert;
            }
        }
        return placed;
    }

    /** No rank holds the expert twice and no expert is without a slot. */
    static boolean isValid(int[] placed, int experts, int slotsPerRank) {
        boolean[] served = new boolean[experts];
        for (int slot = 0; slot < placed.length; slot++) {
            served[placed[slot]] = true;
            for (int other = slot / slotsPerRank * slotsPerRank; other < slot; other++) {
                if (placed[other] == placed[slot]) {
                    return false;
                }
            }
        }
        for (boolean each : served) {
            if (!each) {
                return false;
            }
        }
        return true;
    }
}
