package dev.plimsoll.planner.placement;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What steps take whose every token is known: each rank sends the tokens of its rows to the replicas of an expert in turn. */
public final class ServedSteps {
    private ServedSteps() {}

    /**
     * Mean expert time of a step in microseconds.
     *
     * @param steps {@code [step][layer][row][k]} experts; row i is of rank i mod ranks
     */
    public static double micros(int[][][][] steps, Placement placement, Topology topology, DeviceProfile profile) {
        double sum = 0;
        for (int layer = 0; layer < placement.layers(); layer++) {
            sum += micros(steps, layer, placement.inUse(layer), topology, profile);
        }
        return sum / steps.length;
    }

    private static double micros(
            int[][][][] steps, int layer, int[] expertOfSlot, Topology topology, DeviceProfile profile) {
        List<List<Integer>> slotsOf = new ArrayList<>();
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            while (slotsOf.size() <= expertOfSlot[slot]) {
                slotsOf.add(new ArrayList<>());
            }
            if (expertOfSlot[slot] >= 0) {
                slotsOf.get(expertOfSlot[slot]).add(slot);
            }
        }
        int[][] turn = new int[topology.ranks()][slotsOf.size()];
        for (int rank = 0; rank < topology.ranks(); rank++) {
            Arrays.fill(turn[rank], rank);
        }
        double sum = 0;
        for (int[][][] step : steps) {
            int[] tokens = new int[expertOfSlot.length];
            for (int row = 0; row < step[layer].length; row++) {
                for (int expert : step[layer][row]) {
                    List<Integer> slots = slotsOf.get(expert);
                    tokens[slots.get(turn[row % topology.ranks()][expert]++ % slots.size())]++;
                }
            }
            double[] ofRank = new double[topology.ranks()];
            for (int slot = 0; slot < tokens.length; slot++) {
                ofRank[slot / topology.slotsPerRank()] +=
                        profile.expertMicros(tokens[slot]) + tokens[slot] * profile.receivedMicros();
            }
            sum += EvenSplit.max(ofRank);
        }
        return sum;
    }

    /** {@code [layer][expert]} tokens of all steps. */
    public static long[][] load(int[][][][] steps, int experts) {
        long[][] load = new long[steps[0].length][experts];
        for (int[][][] step : steps) {
            for (int layer = 0; layer < load.length; layer++) {
                for (int[] row : step[layer]) {
                    for (int expert : row) {
                        load[layer][expert]++;
                    }
                }
            }
        }
        return load;
    }
}
