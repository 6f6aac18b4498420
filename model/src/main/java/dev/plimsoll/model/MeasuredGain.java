package dev.plimsoll.model;

import java.util.Locale;
import java.util.OptionalDouble;

/**
 * What a settled decision has brought: complete windows that ran wholly under it, each scored with it and without it, under the
 * placement before, on the same tokens. An expert's tokens are split evenly over its slots on both sides.
 *
 * @param windows how many, at least 1, from when it settled until the next decision was made
 * @param firstWindow index of the first of them
 * @param lastWindow index of the last of them
 * @param last whether no more will come
 * @param gain {@link Gain} in a window, mean over the windows
 * @param spread standard deviation of the windows' gains from their mean; 0 of one window, which has none
 * @param lasted windows until the gain had halved, or all where it has not
 * @param halved whether it has halved
 * @param balancednessWith mean balancedness over layers, mean over the windows, with the decision
 * @param balancednessWithout the same without it
 * @param expertMicrosWith expert time of a step with it, mean over the windows; empty where no device profile is known
 * @param expertMicrosWithout the same without it; there when the former is
 * @param stepMicros step time as ranks measured it, mean over the windows; empty where they do not say
 */
public record MeasuredGain(
        int windows,
        long firstWindow,
        long lastWindow,
        boolean last,
        double gain,
        double spread,
        int lasted,
        boolean halved,
        double balancednessWith,
        double balancednessWithout,
        OptionalDouble expertMicrosWith,
        OptionalDouble expertMicrosWithout,
        OptionalDouble stepMicros) {
    public MeasuredGain {
        if (windows < 1 || lasted < 0 || lasted > windows) {
            throw new IllegalArgumentException("a gain that lasted " + lasted + " of " + windows + " windows");
        }
        if (!(gain <= 1) || !(spread >= 0)) {
            throw new IllegalArgumentException("a gain of " + gain + " that varies by " + spread);
        }
        if (expertMicrosWith.isPresent() != expertMicrosWithout.isPresent()) {
            throw new IllegalArgumentException("expert time with a decision means nothing but beside that without it: "
                    + expertMicrosWith + ", " + expertMicrosWithout);
        }
    }

    /** A few words for people. */
    public String summary() {
        StringBuilder text = new StringBuilder();
        if (expertMicrosWith.isPresent()) {
            text.append(String.format(
                    Locale.ROOT,
                    "experts %.3f ms, %.3f without, ",
                    expertMicrosWith.getAsDouble() / 1e3,
                    expertMicrosWithout.orElseThrow() / 1e3));
        }
        return text.append(String.format(
                        Locale.ROOT,
                        "balancedness %.3f, %.3f without, over %d window%s%s",
                        balancednessWith,
                        balancednessWithout,
                        windows,
                        windows == 1 ? "" : "s",
                        last ? "" : " so far"))
                .toString();
    }
}
