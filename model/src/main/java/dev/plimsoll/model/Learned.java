package dev.plimsoll.model;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a planner had learned of a deployment when it weighed a decision: what somebody who weighs it again needs besides settings and
 * windows.
 *
 * @param step what a step takes; empty where the deployment is not planned by time
 * @param transfers what moving takes
 * @param delivered part of what earlier decisions had promised that came, in [0, 1]; 1 where nothing has been measured
 * @param noise relative gain that cannot be told from none; 0 where nothing has been measured
 * @param lastingWindows windows over which earlier gains lasted; empty where nobody knows
 * @param decisions measured decisions that these three rest on
 */
public record Learned(
        Optional<StepCalibration> step,
        TransferCosts transfers,
        double delivered,
        double noise,
        OptionalInt lastingWindows,
        int decisions) {
    public Learned {
        if (!(delivered >= 0 && delivered <= 1) || !(noise >= 0) || decisions < 0 || lastingWindows.orElse(1) < 1) {
            throw new IllegalArgumentException("learned from " + decisions + " decisions: delivered " + delivered
                    + ", noise " + noise + ", lasting " + lastingWindows + " windows");
        }
    }
}
