package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.replay.score.time.TraceWindows.Window;
import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * Serves windows of a trace under placements, token by token, and keeps time: in every layer all ranks wait for the one whose slots
 * take longest.
 *
 * <p>Row i of the batch is a request of rank i mod ranks, which sends its tokens to the replicas of an expert in turn. One thread.
 */
final class Serving {
    private final TokenTrace trace;
    private final Topology topology;
    private final SlotTimes times;
    private final ReplicaTurns turns;

    private long activeOnSlowest;
    private long slowest;

    Serving(TokenTrace trace, Topology topology, SlotTimes times) {
        this.trace = trace;
        this.topology = topology;
        this.times = times;
        turns = new ReplicaTurns(
                trace.model().layers(), topology.ranks(), trace.model().experts());
    }

    /**
     * What a window took.
     *
     * @param micros {@code [step]}, of all layers
     * @param balancedness {@code [layer]}, of the tokens that ranks computed over the window
     */
    record Served(double[] micros, double[] balancedness) {}

    Served serve(Window window, Placement placement) {
        double[] micros = new double[window.steps().size()];
        double[] balancedness = new double[trace.model().layers()];
        for (int layer = 0; layer < balancedness.length; layer++) {
            balancedness[layer] = serve(window, placement, layer, micros);
        }
        return new Served(micros, balancedness);
    }

    /** Experts that had any token on the slowest rank of a step and layer, on average over all that was served. */
    double activeOnSlowest() {
        return slowest == 0 ? Double.NaN : (double) activeOnSlowest / slowest;
    }

    private double serve(Window window, Placement placement, int layer, double[] micros) {
        int[][] slotsOf = placement.slotsOfExperts(layer, trace.model().experts());
        long[] tokensOfRank = new long[topology.ranks()];
        int[] tokensOfSlot = new int[topology.slots()];
        for (int step = 0; step < micros.length; step++) {
            Arrays.fill(tokensOfSlot, 0);
            int[] tokens = window.steps().get(step);
            for (int row = 0; row < tokens.length; row++) {
                for (int k = 0; k < trace.model().topK(); k++) {
                    int expert = trace.expert(tokens[row], layer, k);
                    int[] slots = slotsOf[expert];
                    tokensOfSlot[slots[turns.next(layer, row % topology.ranks(), expert, slots.length)]]++;
                }
            }
            micros[step] += slowest(tokensOfSlot, tokensOfRank);
        }
        OptionalDouble found = Balance.ofLayer(tokensOfRank);
        return found.orElseThrow();
    }

    /** Time of the slowest rank; of two that take as long the first. Adds to {@code tokensOfRank}. */
    private double slowest(int[] tokensOfSlot, long[] tokensOfRank) {
        double most = -1;
        int activeOfMost = 0;
        int slot = 0;
        for (int rank = 0; rank < tokensOfRank.length; rank++) {
            double micros = 0;
            int active = 0;
            for (int end = slot + topology.slotsPerRank(); slot < end; slot++) {
                int tokens = tokensOfSlot[slot];
                micros += times.micros(tokens);
                active += tokens > 0 ? 1 : 0;
                tokensOfRank[rank] += tokens;
            }
            if (micros > most) {
                most = micros;
                activeOfMost = active;
            }
        }
        activeOnSlowest += activeOfMost;
        slowest++;
        return most;
    }
}
