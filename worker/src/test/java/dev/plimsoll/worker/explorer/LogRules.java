package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.worker.Orders;
import java.util.List;

/** What may be appended to a plan log, whoever does it: P4 (one writer) and P11 (sound plans). */
final class LogRules {
    private LogRules() {}

    static void check(Log before, PlanCommand command) {
        PlanLog log = before.folded;
        require(
                command.header().number() == log.number() + 1,
                "command " + command.header().number() + " follows " + log.number() + ": " + World.shortly(command));
        boolean begins = command instanceof PlanCommand.Term;
        require(
                begins ? command.header().term() > log.term() : command.header().term() == log.term() && log.term() > 0,
                "term " + command.header().term() + " after " + log.term() + ": " + World.shortly(command));
        if (begins) {
            return;
        }
        if (command instanceof Propose propose) {
            require(propose.epoch() > log.lastEpoch(), "epoch " + propose.epoch() + " is used twice");
            require(log.inFlight().isEmpty(), "two decisions at a time");
            checkPlan(before, propose);
            return;
        }
        int epoch = epoch(command);
        require(
                log.inFlight().filter(decision -> decision.epoch() == epoch).isPresent(),
                World.shortly(command) + ", and it is not in flight");
        require(
                !(command instanceof PlanCommand.Permit) || log.abortReason().isEmpty(),
                World.shortly(command) + " after an ABORT");
        require(
                !(command instanceof PlanCommand.Abort) || log.abortReason().isEmpty(),
                World.shortly(command) + " once more");
    }

    private static void checkPlan(Log before, Propose propose) {
        int life = before.lives().lifeOf(propose.header().incarnation());
        Placement base = before.settled(life);
        if (propose.basedOn() != base.version()) {
            throw new Violation("P3 authority", World.shortly(propose) + ", and settled is v" + base.version());
        }
        List<String> wrong =
                PlacementRules.violations(propose, base, before.lives().of(life));
        if (!wrong.isEmpty()) {
            throw new Violation("P11 sound plans", World.shortly(propose) + ": " + wrong);
        }
    }

    /** What the planner's checks let pass, those of the nodes do too. */
    static void checkTaken(Membership members, PlanCommand command, Orders.Taken taken) {
        boolean concerns = command.header().incarnation() == members.incarnation();
        if (concerns
                && (taken.order().isEmpty()
                        || taken.order().orElseThrow().refusal().isPresent())) {
            throw new Violation(
                    command instanceof Propose ? "P11 sound plans" : "P6 truth",
                    "a node does not take " + World.shortly(command) + ": " + taken.fault());
        }
    }

    private static int epoch(PlanCommand command) {
        if (command instanceof PlanCommand.Permit permit) {
            return permit.epoch();
        }
        if (command instanceof PlanCommand.Abort abort) {
            return abort.epoch();
        }
        if (command instanceof PlanCommand.Settled settled) {
            return settled.epoch();
        }
        return ((PlanCommand.Void) command).epoch();
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new Violation("P4 single writer", message);
        }
    }
}
