package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.PlanOrder;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.protocol.Approval;
import dev.plimsoll.planner.protocol.Due;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * States and commands without what nothing depends on that is explored: when something is due, why something was stopped, which window it
 * was, how long no decision is made. Time and windows pass whenever the explorer says so. Two reasons are kept, as successors read them:
 * ranks that cannot vote any more end all planning, and one that has flipped what nobody permitted puts all into quarantine.
 */
final class Timeless {
    private static final Due DUE = new Due(1, 1);
    private static final String CANNOT_VOTE = "REFUSED 1: OBSERVE_ONLY";
    private static final String UNASKED = "rank 0 flipped what was not permitted: ";

    private Timeless() {}

    static PlanCommand command(PlanCommand command) {
        if (command instanceof PlanCommand.Abort abort) {
            return new PlanCommand.Abort(abort.header(), abort.epoch(), reason(abort.reason()));
        }
        if (command instanceof PlanCommand.Void end) {
            return new PlanCommand.Void(end.header(), end.epoch(), reason(end.reason()), OptionalLong.empty());
        }
        return command instanceof PlanCommand.Settled end
                ? new PlanCommand.Settled(
                        end.header(), end.epoch(), end.batchesFlipped(), end.complete(), end.placementHash())
                : command;
    }

    private static String reason(String reason) {
        if (reason.contains(UNASKED.substring("rank 0".length()))) {
            return UNASKED;
        }
        return reason.contains("OBSERVE_ONLY") ? CANNOT_VOTE : "";
    }

    static ControlAnswer answer(ControlAnswer answer) {
        return new ControlAnswer(
                answer.deployment(),
                answer.incarnation(),
                answer.id(),
                answer.verdict(),
                "as asked",
                answer.epoch(),
                answer.version());
    }

    static DriverState state(DriverState state) {
        return new DriverState(
                state(state.protocol()),
                OptionalLong.empty(),
                0,
                OptionalLong.empty(),
                List.of(),
                state.ordered().map(Timeless::order),
                new Setbacks(
                        state.setbacks().incarnation(),
                        state.setbacks().observeOnly().map(Timeless::reason),
                        new TreeMap<>(),
                        Optional.empty(),
                        Optional.empty(),
                        false),
                state.towards(),
                state.foundWorse(),
                state.control());
    }

    /** Orders of windows with one index are one. */
    static PlanOrder order(PlanOrder order) {
        return new PlanOrder(order.incarnation(), order.version(), order.window(), List.of(), order.towards());
    }

    private static PlannerState state(PlannerState state) {
        Stage stage = state.stage();
        if (stage instanceof Stage.Proposed proposed) {
            Approval approval = proposed.approval().awaited() ? new Approval(true, 1) : Approval.NONE;
            stage = new Stage.Proposed(proposed.decision(), proposed.evidence(), DUE, approval);
        } else if (stage instanceof Stage.Running running) {
            stage = new Stage.Running(running.decision(), running.evidence(), DUE);
        } else if (stage instanceof Stage.Aborting aborting) {
            stage = new Stage.Aborting(
                    aborting.decision(), aborting.evidence(), DUE, reason(aborting.reason()), aborting.permitted());
        } else if (stage instanceof Stage.Quarantined quarantined) {
            stage = new Stage.Quarantined(quarantined.decision(), "", quarantined.unlike(), quarantined.logged());
        }
        return new PlannerState(
                state.members(), state.settled(), state.term(), state.number(), state.lastEpoch(), stage);
    }
}
