package dev.plimsoll.simulator;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What steps would take on a device, from the exact tokens of every slot.
 *
 * <p>In each layer the ranks wait for the slowest, so a step takes, beside its other time, the sum over layers of the slowest rank's
 * sum over slots of what its expert takes for the slot's tokens; each token that a rank receives costs what the profile says. The
 * dispatch thread owns it.
 */
final class DeviceTime {
    private static final int TABULATED = 4096;

    private final SimulatedDevice device;
    private final int layers;
    private final int slotsPerRank;
    /** {@code [tokens]} */
    private final double[] slotMicros = new double[TABULATED];
    /** {@code [layer][local slot]}, of one rank. */
    private final int[] tokens;
    /** {@code [layer]}: nanoseconds of the slowest rank so far. */
    private final int[] slowest;

    private final AtomicLong steps = new AtomicLong();
    private final AtomicLong elapsedNanos = new AtomicLong();

    DeviceTime(SimulatedDevice device, int layers, int slotsPerRank) {
        this.device = device;
        this.layers = layers;
        this.slotsPerRank = slotsPerRank;
        for (int n = 0; n < TABULATED; n++) {
            slotMicros[n] = device.profile().slotMicros(n);
        }
        tokens = new int[layers * slotsPerRank];
        slowest = new int[layers];
    }

    /** A token of the rank under way, in a cell: layer × slots per rank + local slot. */
    void token(int cell) {
        tokens[cell]++;
    }

    /** So many more tokens. */
    void tokens(int cell, int count) {
        tokens[cell] += count;
    }

    /** The rank under way has all its tokens of the step. */
    void endOfRank() {
        int cell = 0;
        for (int layer = 0; layer < layers; layer++) {
            double micros = 0;
            for (int slot = 0; slot < slotsPerRank; slot++, cell++) {
                int n = tokens[cell];
                micros += n < TABULATED ? slotMicros[n] : device.profile().slotMicros(n);
                tokens[cell] = 0;
            }
            slowest[layer] = Math.max(slowest[layer], (int) Math.min(Integer.MAX_VALUE, Math.round(micros * 1e3)));
        }
    }

    /** {@code [layer]}: nanoseconds of the slowest rank of this process in the step under way. */
    int[] slowest() {
        return slowest;
    }

    /**
     * A step has ended.
     *
     * @param layerNanos {@code [layer]}: of the slowest rank of all
     */
    void endOfStep(long step, int[] layerNanos) {
        long nanos = device.otherTime().toNanos();
        for (int layer = 0; layer < layers; layer++) {
            nanos += layerNanos[layer];
        }
        elapsedNanos.lazySet(elapsedNanos.get() + Math.round(nanos * scatter(step)));
        steps.lazySet(steps.get() + 1);
        Arrays.fill(slowest, 0);
    }

    /** A factor around 1, a function of seed and step: equal for all ranks and in all processes. */
    private double scatter(long step) {
        if (device.noise() == 0) {
            return 1;
        }
        double normal = new SplitMix(SplitMix.mix(device.seed()) ^ SplitMix.mix(step)).nextGaussian();
        return Math.max(0.1, 1 + device.noise() * normal);
    }

    /** Time of all steps that have ended; any thread. */
    long elapsedNanos() {
        return elapsedNanos.get();
    }

    /** How many they are; any thread. */
    long steps() {
        return steps.get();
    }
}
