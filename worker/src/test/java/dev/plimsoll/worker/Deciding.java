package dev.plimsoll.worker;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.DriverStep;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import java.util.List;

/** A planner's driver as a simulation asks it. Wrong variants override it. */
class Deciding {
    private final DecisionDriver driver;

    Deciding(DecisionDriver driver) {
        this.driver = driver;
    }

    DriverStep takeOver(
            PlanLog log,
            Setbacks setbacks,
            ControlState control,
            List<SettledPlacement> kept,
            Membership members,
            Moment now) {
        return driver.takeOver(log, setbacks, control, kept, members, now);
    }

    DriverStep apply(DriverState state, DriverEvent event, Moment now) {
        return driver.apply(state, event, now);
    }
}
