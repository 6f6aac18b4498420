package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;
import java.util.Arrays;

/**
 * The load of every expert of every layer over one window: slot loads added up over replicas, so that windows that were measured
 * under different placements can be compared.
 */
public final class ExpertLoad {
    private final long windowIndex;
    private final long[][] load;

    private ExpertLoad(long windowIndex, long[][] load) {
        this.windowIndex = windowIndex;
        this.load = load;
    }

    /** @param load {@code [layer][expert]} tokens, copied */
    public static ExpertLoad of(long windowIndex, long[][] load) {
        long[][] copy = new long[load.length][];
        for (int layer = 0; layer < load.length; layer++) {
            copy[layer] = load[layer].clone();
            for (long tokens : copy[layer]) {
                if (tokens < 0) {
                    throw new IllegalArgumentException(
                            "window " + windowIndex + " layer " + layer + " has a load of " + tokens);
                }
            }
        }
        return new ExpertLoad(windowIndex, copy);
    }

    /** A window without any load yet. */
    public static ExpertLoad none(long windowIndex, int layers, int experts) {
        return new ExpertLoad(windowIndex, new long[layers][experts]);
    }

    /** This load and what the slots counted while {@code placement} was served; {@code slotLoad} is {@code [layer][slot]}. */
    public ExpertLoad plus(Placement placement, long[][] slotLoad) {
        ExpertLoad sum = of(windowIndex, load);
        for (int layer = 0; layer < slotLoad.length; layer++) {
            int[] expertOfSlot = placement.layer(layer);
            for (int slot = 0; slot < expertOfSlot.length; slot++) {
                int expert = expertOfSlot[slot];
                sum.load[layer][expert] = Math.addExact(sum.load[layer][expert], slotLoad[layer][slot]);
            }
        }
        return sum;
    }

    public long windowIndex() {
        return windowIndex;
    }

    public int layers() {
        return load.length;
    }

    public long at(int layer, int expert) {
        return load[layer][expert];
    }

    /** A copy as doubles, {@code [layer][expert]}. */
    public double[][] toDoubles() {
        double[][] copy = new double[load.length][];
        for (int layer = 0; layer < load.length; layer++) {
            copy[layer] = Arrays.stream(load[layer]).asDoubleStream().toArray();
        }
        return copy;
    }
}
