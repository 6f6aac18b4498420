package dev.plimsoll.model;

import java.util.Locale;

/**
 * What a deployment's step takes by what its experts take: {@code step = other + scale × expert time}, expert time by the device profile.
 *
 * @param scale of the profile: time measured for each microsecond that it says
 * @param scaleLow lower end of the scale's 95 % interval; the scale itself where it is assumed
 * @param scaleHigh upper end
 * @param otherMicros what the rest of a step takes: attention, communication, all that does not go with the slowest rank's experts
 * @param windows complete windows with step times that this rests on; 0 where nobody times steps
 * @param flips changes of placement between these windows
 * @param leastExpertMicros least expert time of a step among them, by the profile
 * @param mostExpertMicros most
 * @param assumed whether scale and rest are assumed, as nothing measured says yet what they are
 */
public record StepCalibration(
        double scale,
        double scaleLow,
        double scaleHigh,
        double otherMicros,
        int windows,
        int flips,
        double leastExpertMicros,
        double mostExpertMicros,
        boolean assumed) {
    public StepCalibration {
        if (!(scale > 0) || !(scaleLow <= scale) || !(scaleHigh >= scale) || !(otherMicros >= 0)) {
            throw new IllegalArgumentException("a step of " + otherMicros + " µs beside its experts, at a scale of "
                    + scale + ", " + scaleLow + " to " + scaleHigh);
        }
        if (windows < 0 || flips < 0 || !(leastExpertMicros >= 0) || !(mostExpertMicros >= leastExpertMicros)) {
            throw new IllegalArgumentException("a calibration by " + windows + " windows and " + flips
                    + " flips, experts taking " + leastExpertMicros + " to " + mostExpertMicros + " µs");
        }
    }

    /** Step time in microseconds where the experts take so many by the profile. */
    public double stepMicros(double expertMicros) {
        return otherMicros + scale * expertMicros;
    }

    /** Share of a step that its experts take, in [0, 1], where they take so many microseconds by the profile. */
    public double share(double expertMicros) {
        double step = stepMicros(expertMicros);
        return step == 0 ? 0 : scale * expertMicros / step;
    }

    /** Lower end of the share's 95 % interval, by that of the scale: step time itself is measured. */
    public double shareLow(double expertMicros) {
        return Math.max(0, share(expertMicros) * scaleLow / scale);
    }

    /** Upper end of the share's 95 % interval. */
    public double shareHigh(double expertMicros) {
        return Math.min(1, share(expertMicros) * scaleHigh / scale);
    }

    /** For people: the share at so much expert time, the scale, and what they rest on. */
    public String summary(double expertMicros) {
        if (assumed) {
            return String.format(
                    Locale.ROOT,
                    "experts take %.0f %% of a step, scale %.2f: assumed, %s",
                    100 * share(expertMicros),
                    scale,
                    windows == 0
                            ? "nobody times steps"
                            : "too little varied in " + windows + (windows == 1 ? " window" : " windows") + " with "
                                    + flipsText());
        }
        return String.format(
                Locale.ROOT,
                "experts take %.0f %% of a step (%.0f to %.0f %%), scale %.2f (%.2f to %.2f): %d windows, %s, experts %.0f to %.0f µs",
                100 * share(expertMicros),
                100 * shareLow(expertMicros),
                100 * shareHigh(expertMicros),
                scale,
                scaleLow,
                scaleHigh,
                windows,
                flipsText(),
                leastExpertMicros,
                mostExpertMicros);
    }

    private String flipsText() {
        return flips == 1 ? "1 flip" : flips + " flips";
    }
}
