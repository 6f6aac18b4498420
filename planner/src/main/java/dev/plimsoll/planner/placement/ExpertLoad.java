package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The load of every expert of every layer over one window and over its sub-samples: slot loads added up over replicas, so that
 * windows that were measured under different placements can be compared.
 *
 * <p>Sub-samples are equal parts of the window in order of time; they show how experts rise and fall together inside it. A window
 * without them has one, itself.
 */
public final class ExpertLoad {
    private final long windowIndex;
    private final long steps;
    /** {@code [layer][sample][expert]}. */
    private final long[][][] samples;
    /** {@code [layer][expert]}, the sum over samples. */
    private final long[][] load;

    private final SharedLoad shared;

    private ExpertLoad(long windowIndex, long steps, long[][][] samples, SharedLoad shared) {
        if (steps < 0) {
            throw new IllegalArgumentException("window " + windowIndex + " of " + steps + " steps");
        }
        this.windowIndex = windowIndex;
        this.steps = steps;
        this.samples = samples;
        this.shared = shared;
        this.load = new long[samples.length][];
        for (int layer = 0; layer < samples.length; layer++) {
            load[layer] = new long[samples[layer][0].length];
            for (long[] sample : samples[layer]) {
                for (int expert = 0; expert < sample.length; expert++) {
                    if (sample[expert] < 0) {
                        throw new IllegalArgumentException("window " + windowIndex + " layer " + layer + " expert "
                                + expert + " has a load of " + sample[expert]);
                    }
                    load[layer][expert] = Math.addExact(load[layer][expert], sample[expert]);
                }
            }
            if (samples[layer].length == 1) {
                load[layer] = samples[layer][0];
            }
        }
    }

    /** @param load {@code [layer][expert]} tokens, copied; the window is its only sub-sample */
    public static ExpertLoad of(long windowIndex, long[][] load) {
        long[][][] samples = new long[load.length][][];
        for (int layer = 0; layer < load.length; layer++) {
            samples[layer] = new long[][] {load[layer].clone()};
        }
        return new ExpertLoad(windowIndex, 0, samples, SharedLoad.NONE);
    }

    /** @param samples {@code [layer][sample][expert]} tokens, copied; at least one sample, equally many in every layer */
    public static ExpertLoad ofSamples(long windowIndex, long[][][] samples) {
        long[][][] copy = new long[samples.length][][];
        for (int layer = 0; layer < samples.length; layer++) {
            if (samples[layer].length == 0 || samples[layer].length != samples[0].length) {
                throw new IllegalArgumentException("window " + windowIndex + " layer " + layer + " has "
                        + samples[layer].length + " sub-samples, layer 0 has " + samples[0].length);
            }
            copy[layer] = new long[samples[layer].length][];
            for (int sample = 0; sample < copy[layer].length; sample++) {
                copy[layer][sample] = samples[layer][sample].clone();
            }
        }
        return new ExpertLoad(windowIndex, 0, copy, SharedLoad.NONE);
    }

    /** A window without any load yet. */
    public static ExpertLoad none(long windowIndex, int layers, int samples, int experts) {
        return new ExpertLoad(windowIndex, 0, new long[layers][samples][experts], SharedLoad.NONE);
    }

    /** The same as the load of so many steps; sub-samples are equal parts of them. */
    public ExpertLoad over(long stepCount) {
        return new ExpertLoad(windowIndex, stepCount, samples, shared);
    }

    /**
     * This load and what the slots counted while {@code placement} was served.
     *
     * @param slotLoad {@code [layer][sample][slot]}, with as many samples as this load has
     */
    public ExpertLoad plus(Placement placement, long[][][] slotLoad) {
        ExpertLoad sum = ofSamples(windowIndex, samples).over(steps);
        for (int layer = 0; layer < slotLoad.length; layer++) {
            int[] expertOfSlot = placement.layer(layer);
            if (slotLoad[layer].length != sum.samples[layer].length) {
                throw new IllegalArgumentException(
                        slotLoad[layer].length + " sub-samples cannot be added to " + sum.samples[layer].length);
            }
            for (int sample = 0; sample < slotLoad[layer].length; sample++) {
                for (int slot = 0; slot < expertOfSlot.length; slot++) {
                    sum.samples[layer][sample][expertOfSlot[slot]] = Math.addExact(
                            sum.samples[layer][sample][expertOfSlot[slot]], slotLoad[layer][sample][slot]);
                }
            }
        }
        return new ExpertLoad(windowIndex, steps, sum.samples, shared.plus(placement, slotLoad));
    }

    /** The same window as its only sub-sample: what is worth keeping of a window that is not the newest. */
    public ExpertLoad withoutSamples() {
        return samples() == 1 ? this : new ExpertLoad(windowIndex, steps, of(windowIndex, load).samples, shared);
    }

    public long windowIndex() {
        return windowIndex;
    }

    /** Steps of the window; 0 where nobody knows. */
    public long steps() {
        return steps;
    }

    /** What replicas got. */
    SharedLoad shared() {
        return shared;
    }

    public int layers() {
        return load.length;
    }

    public int experts() {
        return load[0].length;
    }

    /** Number of sub-samples, at least 1. */
    public int samples() {
        return samples[0].length;
    }

    /** Whether any expert of every layer has load. */
    boolean loadsEveryLayer() {
        for (long[] layer : load) {
            long any = 0;
            for (int expert = 0; any == 0 && expert < layer.length; expert++) {
                any = layer[expert];
            }
            if (any == 0) {
                return false;
            }
        }
        return true;
    }

    public long at(int layer, int expert) {
        return load[layer][expert];
    }

    public long at(int layer, int sample, int expert) {
        return samples[layer][sample][expert];
    }

    /** A copy as doubles, {@code [layer][expert]}. */
    public double[][] toDoubles() {
        double[][] copy = new double[load.length][];
        for (int layer = 0; layer < load.length; layer++) {
            copy[layer] = layer(layer);
        }
        return copy;
    }

    /** A copy of one layer as doubles, {@code [expert]}. */
    public double[] layer(int layer) {
        double[] copy = new double[load[layer].length];
        for (int expert = 0; expert < copy.length; expert++) {
            copy[expert] = load[layer][expert];
        }
        return copy;
    }

    /** The same index, steps, and load of every sub-sample. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof ExpertLoad load
                        && windowIndex == load.windowIndex
                        && steps == load.steps
                        && Arrays.deepEquals(samples, load.samples));
    }

    @Override
    public int hashCode() {
        return Long.hashCode(windowIndex) * 31 + Arrays.hashCode(load[0]);
    }
}
