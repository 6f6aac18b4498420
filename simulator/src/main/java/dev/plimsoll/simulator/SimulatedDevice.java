package dev.plimsoll.simulator;

import dev.plimsoll.model.DeviceProfile;
import java.time.Duration;

/**
 * The device that steps are timed for.
 *
 * @param profile what experts take there
 * @param otherTime what a step takes beside its experts: attention, routing, exchange
 * @param noise by which share of itself a step's time scatters, as a standard deviation
 * @param seed of the noise
 */
public record SimulatedDevice(DeviceProfile profile, Duration otherTime, double noise, long seed) {
    public SimulatedDevice {
        if (otherTime.isNegative()) {
            throw new IllegalArgumentException("a step takes no less than its experts: " + otherTime);
        }
        if (!(noise >= 0 && noise <= 0.5)) {
            throw new IllegalArgumentException("noise=" + noise + ": need 0 to 0.5");
        }
    }
}
