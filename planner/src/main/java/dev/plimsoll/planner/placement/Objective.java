package dev.plimsoll.planner.placement;

import dev.plimsoll.model.DeviceProfile;

/** What a placement is to even out over ranks: what a slot weighs by its expert's load and replicas. */
public sealed interface Objective {
    /** Tokens: what balancedness counts. */
    Objective TOKENS = new Tokens();

    /** The name it is reported under. */
    String name();

    /** A slot weighs the tokens that it gets. */
    record Tokens() implements Objective {
        @Override
        public String name() {
            return "tokens";
        }
    }

    /**
     * A slot weighs the time that it is expected to take per step.
     *
     * @param expected by tokens per step
     */
    record Time(ExpectedTime expected) implements Objective {
        @Override
        public String name() {
            return "time";
        }
    }

    /** Time by a device profile. */
    static Objective time(DeviceProfile profile) {
        return new Time(new ExpectedTime(profile));
    }
}
