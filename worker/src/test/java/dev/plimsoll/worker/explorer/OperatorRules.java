package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.planner.placement.Constraints;
import java.util.List;
import java.util.Optional;

/**
 * What must hold of every transaction of a planner by what operators have said: each command is answered once, in the transaction of its
 * effect, and takes effect at most once; what is in force is kept.
 */
final class OperatorRules {
    static final String ANSWERED_ONCE = "answered once";
    static final String ONE_TRANSACTION = "effect and answer in one transaction";
    static final String EFFECT_ONCE = "takes effect once";
    static final String STALE = "stale commands change nothing";
    static final String PAUSE = "paused deployments propose nothing";
    static final String ASKED = "pins and drains are kept";
    static final String VOTELESS = "who cannot vote is asked nothing";

    private OperatorRules() {}

    /** @param world as it was before the transaction */
    static void check(World world, PlannerTable.Act act) {
        ControlLog before = world.control();
        List<Control> waiting = before.unanswered;
        for (int i = 0; i < act.answers().size(); i++) {
            ControlAnswer answer = act.answers().get(i);
            if (i >= waiting.size() || !waiting.get(i).id().equals(answer.id())) {
                throw new Violation(ANSWERED_ONCE, answer.id() + " is answered, and " + waiting + " wait for answers");
            }
            world.tell("answers %s with %s", answer.id(), answer.verdict());
            world.scope.reached.add(
                    answer.verdict() + " " + waiting.get(i).action().getClass().getSimpleName());
            checkAnswer(world, waiting.get(i), answer, act);
        }
        for (PlanCommand command : act.commands()) {
            if (command instanceof Propose propose) {
                checkProposal(world, propose, act);
            } else if (command instanceof PlanCommand.Permit permit) {
                checkPermit(world, permit, act);
            }
        }
    }

    private static void checkAnswer(World world, Control command, ControlAnswer answer, PlannerTable.Act act) {
        int settled = world.log()
                .settled(world.scope.lives.lifeOf(answer.incarnation()))
                .version();
        boolean done = answer.verdict() == Verdict.DONE;
        if (done && command.basedOn().orElse(settled) != settled) {
            throw new Violation(STALE, command + " is done, and v" + settled + " is settled");
        }
        if (!done && !(act.commands().isEmpty() && act.settled().isEmpty())) {
            throw new Violation(STALE, command + " is " + answer.verdict() + ", and with it goes " + act.commands());
        }
        if (done && !hasEffect(command, answer, act)) {
            throw new Violation(ONE_TRANSACTION, command + " is done, and with it go " + act.commands());
        }
    }

    /** Whether what was asked for is in the transaction; what is in force by its answer is. */
    private static boolean hasEffect(Control command, ControlAnswer answer, PlannerTable.Act act) {
        ControlAction action = command.action();
        if (action instanceof ControlAction.Rollback) {
            return act.commands().stream()
                    .anyMatch(written -> written instanceof Propose propose
                            && propose.origin().control().equals(Optional.of(command.id()))
                            && answer.epoch().orElse(0) == propose.epoch());
        }
        if (action instanceof ControlAction.Abort abort) {
            return aborts(abort.epoch(), act);
        }
        if (action instanceof ControlAction.Reject reject) {
            return aborts(reject.epoch(), act);
        }
        return !(action instanceof ControlAction.Void)
                || !act.settled().isEmpty()
                || act.commands().stream().anyMatch(PlanCommand.Void.class::isInstance);
    }

    private static boolean aborts(int epoch, PlannerTable.Act act) {
        return act.commands().stream()
                .anyMatch(written -> written instanceof PlanCommand.Abort abort && abort.epoch() == epoch);
    }

    private static void checkProposal(World world, Propose propose, PlannerTable.Act act) {
        Optional<String> asked = propose.origin().control();
        asked.ifPresent(id -> {
            if (act.answers().stream().noneMatch(answer -> answer.id().equals(id))) {
                throw new Violation(
                        ONE_TRANSACTION, World.shortly(propose) + " was asked for by " + id + ", unanswered yet");
            }
            if (world.log().commands.stream()
                    .anyMatch(before -> before instanceof Propose earlier
                            && earlier.origin().control().equals(asked))) {
                throw new Violation(
                        EFFECT_ONCE, World.shortly(propose) + " was asked for by " + id + ", and made before");
            }
        });
        if (asked.isEmpty() && world.control().paused()) {
            throw new Violation(PAUSE, World.shortly(propose));
        }
        long incarnation = propose.header().incarnation();
        if (world.log().setbacks.incarnation() == incarnation
                && world.log().setbacks.observeOnly().isPresent()) {
            throw new Violation(
                    VOTELESS,
                    World.shortly(propose) + " after " + world.log().setbacks.observeOnly());
        }
        int life = world.scope.lives.lifeOf(incarnation);
        Membership members = world.scope.lives.of(life);
        Constraints constraints = world.control().constraints();
        Placement target = world.log().settled(life).withBatches(propose.epoch(), propose.batches());
        List<String> violations =
                constraints.violations(target, members.shape(), members.topology(), members.idleSlots());
        if (!violations.isEmpty()) {
            throw new Violation(ASKED, World.shortly(propose) + ": " + violations);
        }
        if (!constraints.isEmpty()) {
            world.scope.reached.add("proposed within what is asked");
        }
        if (propose.policy().equals("rollback")) {
            world.scope.reached.add(asked.isPresent() ? "rolled back as asked" : "rolled back by itself");
        }
    }

    private static void checkPermit(World world, PlanCommand.Permit permit, PlannerTable.Act act) {
        boolean needsApproval =
                world.log().decision(permit.epoch()).propose().origin().needsApproval();
        boolean approved = world.control().approved(permit.epoch())
                || act.answers().stream().anyMatch(answer -> approves(world, answer, permit.epoch()));
        if (needsApproval && !approved) {
            throw new Violation("P3 authority", World.shortly(permit) + ", which nobody has approved");
        }
    }

    private static boolean approves(World world, ControlAnswer answer, int epoch) {
        return answer.verdict() == Verdict.DONE
                && world.control().unanswered.stream()
                        .anyMatch(command -> command.id().equals(answer.id())
                                && command.action().equals(new ControlAction.Approve(epoch)));
    }
}
