package dev.plimsoll.worker;

import dev.plimsoll.model.Membership;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The planners of a simulation: right ones, or with one thing wrong.
 *
 * @param deciding the driver that they have, of the real one
 * @param asked what plans and ways back are to keep
 * @param tellsAtOnce whether they tell before they know that it is committed
 */
record Planners(
        DecisionProtocol protocol,
        Function<DecisionDriver, Deciding> deciding,
        BiFunction<ControlState, Membership, Constraints> asked,
        boolean tellsAtOnce) {
    static Planners right() {
        return with(new DecisionProtocol(DecisionSimulation.PATIENCE, "planner"));
    }

    static Planners with(DecisionProtocol protocol) {
        return new Planners(protocol, Deciding::new, ControlState::constraints, false);
    }

    Planners deciding(Function<DecisionDriver, Deciding> wrong) {
        return new Planners(protocol, wrong, asked, tellsAtOnce);
    }

    Planners keepingNothing() {
        return new Planners(protocol, deciding, (state, members) -> Constraints.NONE, tellsAtOnce);
    }

    Planners tellingAtOnce() {
        return new Planners(protocol, deciding, asked, true);
    }
}
