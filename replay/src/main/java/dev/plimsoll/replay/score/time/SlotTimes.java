package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.DeviceProfile;

/** Time of a slot's step by its tokens, in microseconds, tabulated; what tokens cost that are received is in it. Immutable. */
final class SlotTimes {
    private final double[] micros;

    /** @param most tokens that a slot can get in a step */
    SlotTimes(DeviceProfile profile, int most) {
        micros = new double[most + 1];
        for (int tokens = 1; tokens <= most; tokens++) {
            micros[tokens] = profile.slotMicros(tokens);
        }
    }

    double micros(int tokens) {
        return micros[tokens];
    }

    int most() {
        return micros.length - 1;
    }
}
