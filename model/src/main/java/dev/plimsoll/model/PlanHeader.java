package dev.plimsoll.model;

/**
 * What every command of the plan log begins with.
 *
 * @param term one reign of a planner; strictly grows when another takes over
 * @param number dense per deployment, strictly growing over terms
 */
public record PlanHeader(Deployment deployment, long incarnation, long term, long number) {
    public PlanHeader {
        if (incarnation < 0 || term < 1 || number < 1) {
            throw new IllegalArgumentException("incarnation " + incarnation + " must be at least 0, term " + term
                    + " and command number " + number + " at least 1");
        }
    }
}
