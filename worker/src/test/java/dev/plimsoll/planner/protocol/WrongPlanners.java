package dev.plimsoll.planner.protocol;

/** The planner's protocol as it runs, for whoever explores it, and wrong variants of it. */
public final class WrongPlanners {
    /** Deadlines pass when the explorer says so. */
    static final Patience PATIENCE = new Patience(1, 1, 1);

    private WrongPlanners() {}

    public static DecisionProtocol right() {
        return new DecisionProtocol(PATIENCE, "planner");
    }
}
