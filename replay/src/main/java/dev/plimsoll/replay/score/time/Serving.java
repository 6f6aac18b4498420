package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Serves steps under a contender's placements, token by token, and keeps time: in every layer all ranks wait for the one whose slots
 * take longest. Every rank sends the tokens of its requests to the replicas of an expert in turn. One thread.
 */
final class Serving {
    private final Topology topology;
    private final SlotTimes times;
    private final ReplicaTurns turns;
    /** {@code [layer][expert]} slots in use. */
    private final int[][][] slotsOf;
    /** {@code [layer][rank]} in this window. */
    private final long[][] tokensOfRank;

    private final int[] tokensOfSlot;
    private final List<Double> micros = new ArrayList<>();
    private double balancedness;
    private int balanced;
    private long activeOnSlowest;

    Serving(int layers, int experts, Topology topology, SlotTimes times) {
        this.topology = topology;
        this.times = times;
        turns = new ReplicaTurns(layers, experts, topology.ranks());
        slotsOf = new int[layers][experts][];
        tokensOfRank = new long[layers][topology.ranks()];
        tokensOfSlot = new int[topology.slots()];
    }

    /** From here on this placement is served; a window begins. */
    void begin(Placement placement) {
        for (int layer = 0; layer < slotsOf.length; layer++) {
            slotsOf[layer] = placement.slotsOfExperts(layer, slotsOf[layer].length);
            Arrays.fill(tokensOfRank[layer], 0);
        }
    }

    void step(StepTokens tokens) {
        double sum = 0;
        for (int layer = 0; layer < slotsOf.length; layer++) {
            Arrays.fill(tokensOfSlot, 0);
            for (int expert = 0; expert < slotsOf[layer].length; expert++) {
                if (tokens.of(layer, expert) > 0) {
                    send(tokens, layer, expert, slotsOf[layer][expert]);
                }
            }
            sum += slowest(tokensOfRank[layer]);
        }
        micros.add(sum);
    }

    private void send(StepTokens tokens, int layer, int expert, int[] slots) {
        for (int rank = 0; rank < tokens.ranks(); rank++) {
            int ofRank = tokens.of(layer, expert, rank);
            if (ofRank > 0) {
                turns.send(layer, expert, rank, ofRank, slots, tokensOfSlot);
            }
        }
    }

    /** Time of the slowest rank; of two that take as long the first. */
    private double slowest(long[] tokensOfLayer) {
        double most = -1;
        int activeOfMost = 0;
        int slot = 0;
        for (int rank = 0; rank < tokensOfLayer.length; rank++) {
            double ofRank = 0;
            int active = 0;
            for (int end = slot + topology.slotsPerRank(); slot < end; slot++) {
                int tokens = tokensOfSlot[slot];
                ofRank += times.micros(tokens);
                active += tokens > 0 ? 1 : 0;
                tokensOfLayer[rank] += tokens;
            }
            if (ofRank > most) {
                most = ofRank;
                activeOfMost = active;
            }
        }
        activeOnSlowest += activeOfMost;
        return most;
    }

    /** The window ends: its balancedness counts. */
    void end() {
        for (long[] ofLayer : tokensOfRank) {
            OptionalDouble found = Balance.ofLayer(ofLayer);
            if (found.isPresent()) {
                balancedness += found.getAsDouble();
                balanced++;
            }
        }
    }

    /** Expert time of every step so far. */
    List<Double> micros() {
        return micros;
    }

    /** Of the tokens that ranks computed, mean over windows and layers. */
    double balancedness() {
        return balancedness / balanced;
    }

    /** Experts that had any token on the slowest rank of a step and layer, on average. */
    double activeOnSlowest() {
        return (double) activeOnSlowest / micros.size() / slotsOf.length;
    }
}
