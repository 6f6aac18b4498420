package dev.plimsoll.simulator;

import dev.plimsoll.model.Gain;

/**
 * What the steps so far would have taken on a device.
 *
 * @param steps that are timed
 * @param nanos of all of them
 * @param unmovedNanos of the same steps with the same tokens, had nothing been moved since the start
 */
public record DeviceTotals(long steps, long nanos, long unmovedNanos) {

    /** Mean time of a step in microseconds; 0 without steps. */
    public double stepMicros() {
        return steps == 0 ? 0 : nanos / 1e3 / steps;
    }

    /** Mean time of a step had nothing been moved. */
    public double unmovedStepMicros() {
        return steps == 0 ? 0 : unmovedNanos / 1e3 / steps;
    }

    /** What all that was moved has brought. */
    public double gain() {
        return Gain.of(unmovedNanos, nanos);
    }
}
