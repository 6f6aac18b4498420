package dev.plimsoll.model;

/**
 * What a change brings on the same tokens: with it against without it, relative. The only definition of gain in this project.
 *
 * <p>What is compared is what all ranks wait for: the expert time of a step where a device profile is known, else the load of the
 * busiest ranks, added up over layers. A gain is <em>promised</em> before the change, on tokens that the plan has not seen, and
 * <em>measured</em> after it, on tokens that ran under it. Windows of different times are never compared: what lies between them
 * is traffic too.
 */
public final class Gain {
    private Gain() {}

    /**
     * The part that is saved: 0.25 where it takes 3 in place of 4; below 0 where the change makes it worse.
     *
     * @param without what the tokens take without the change, not negative
     * @param with what the same tokens take with it, not negative, in the same unit
     * @return at most 1; 0 where the tokens take nothing without it
     */
    public static double of(double without, double with) {
        if (!(without >= 0) || !(with >= 0)) {
            throw new IllegalArgumentException(
                    "what tokens take must be a number that is not negative: without " + without + ", with " + with);
        }
        return without == 0 ? 0 : (without - with) / without;
    }
}
