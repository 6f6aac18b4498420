package dev.plimsoll.simulator;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * What the same steps would have taken had nothing been moved: every step's tokens over the slots of the placement at the start, an
 * expert's divided evenly over its own. The dispatch thread owns it.
 */
final class UnmovedTime {
    private final ModelShape model;
    private final int ranks;
    private final int slotsPerRank;
    /** {@code [layer][expert]}: its slots. */
    private final int[][][] slotsOfExpert;

    private final DeviceTime time;
    /** {@code [layer][slot]} */
    private final int[][] tokensOfSlot;
    /** {@code [expert]}, of one layer. */
    private final int[] tokens;

    UnmovedTime(SimulatedDevice device, ModelShape model, Topology topology, Placement initial) {
        this.model = model;
        ranks = topology.ranks();
        slotsPerRank = topology.slotsPerRank();
        slotsOfExpert = new int[model.layers()][][];
        for (int layer = 0; layer < slotsOfExpert.length; layer++) {
            slotsOfExpert[layer] = initial.slotsOfExperts(layer, model.experts());
        }
        time = new DeviceTime(device, model.layers(), slotsPerRank);
        tokensOfSlot = new int[model.layers()][topology.slots()];
        tokens = new int[model.experts()];
    }

    /** @param picks {@code [lane][layer][k]} flattened, of which the first {@code lanes} count */
    void step(long step, short[] picks, int lanes) {
        int topK = model.topK();
        int ofLane = model.layers() * topK;
        for (int layer = 0; layer < model.layers(); layer++) {
            Arrays.fill(tokens, 0);
            for (int lane = 0; lane < lanes; lane++) {
                int at = lane * ofLane + layer * topK;
                for (int k = 0; k < topK; k++) {
                    tokens[picks[at + k]]++;
                }
            }
            for (int expert = 0; expert < tokens.length; expert++) {
                int[] slots = slotsOfExpert[layer][expert];
                for (int i = 0; i < slots.length; i++) {
                    // The first of them get one more where they do not divide.
                    tokensOfSlot[layer][slots[i]] = (tokens[expert] + slots.length - 1 - i) / slots.length;
                }
            }
        }
        for (int rank = 0; rank < ranks; rank++) {
            for (int layer = 0; layer < model.layers(); layer++) {
                for (int slot = 0; slot < slotsPerRank; slot++) {
                    time.tokens(layer * slotsPerRank + slot, tokensOfSlot[layer][rank * slotsPerRank + slot]);
                }
            }
            time.endOfRank();
        }
        time.endOfStep(step, time.slowest());
    }

    /** Time of all steps that have ended; any thread. */
    long elapsedNanos() {
        return time.elapsedNanos();
    }
}
