package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.DriverStep;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import java.util.List;

/** What a planner of an exploration runs: the service's {@link DecisionDriver}, and what the service gives it. Wrong variants override it. */
class Steering {
    /** @param control all of the control log */
    DriverStep takeOver(
            DecisionDriver driver,
            PlanLog log,
            Setbacks setbacks,
            List<ControlRecord> control,
            List<SettledPlacement> kept,
            Membership members,
            Moment now) {
        return driver.takeOver(log, setbacks, ControlState.of(control), kept, members, now);
    }

    DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
        return driver.apply(state, event, now);
    }

    /** What an operator's rollback comes to. */
    Verdict wayBack(PlanRequest request, Placement version, Constraints constraints, Membership members) {
        return Rollback.towards(request, version, constraints, members);
    }
}
