package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Stage;
import java.util.List;

/** A planner's transaction: all of it becomes part of the logs, and is held against what the ranks did. */
final class Commits {
    private Commits() {}

    /** A planner begins with a TERM above all before, and with what it has read of both logs. */
    static void takeOver(World world, int read, int control) {
        PlannerTable.Act act = world.scope.planners.takeOver(read, world.get(Of.KEPT), world.life(), control);
        if (act.commands().isEmpty() || !(act.commands().get(0) instanceof PlanCommand.Term)) {
            throw new Violation("P4 single writer", "a planner takes over and does not say so: " + act.commands());
        }
        commit(world, act);
    }

    /** What the planner that holds the fence does. */
    static void commit(World world, PlannerTable.Act act) {
        append(world, act);
        world.set(Of.PLANNER, act.planner());
        if (act.dropped() != 0) {
            world.set(Of.LATE_PLAN, act.dropped());
        }
        checkTruth(world);
        if (world.stage() instanceof Stage.Quarantined) {
            checkQuarantine(world);
        }
        if (!act.commands().isEmpty()) {
            forgetOld(world);
        }
    }

    /** What an operator ends by what windows show: ranks may say how far they got when nobody asks any more. */
    static void end(World world, PlannerTable.Act act) {
        if (!act.commands().isEmpty()) {
            world.scope.reached.add("ended by an operator");
        }
        world.set(Of.ENDING, 1);
        commit(world, act);
        world.set(Of.ENDING, 0);
    }

    static void append(World world, PlannerTable.Act act) {
        for (PlanCommand command : act.commands()) {
            world.tell("writes %s", command);
        }
        OperatorRules.check(world, act);
        world.set(Of.CONTROL, world.scope.controls.and(world.get(Of.CONTROL), act.answers()));
        world.set(Of.LOG, world.log().and(act.commands()).number);
        for (PlanCommand command : act.commands()) {
            checkAgainstRanks(world, command);
        }
        world.set(Of.KEPT, world.scope.planners.keep(world.get(Of.KEPT), act.settled()));
    }

    /** P3 and P6: what is permitted was accepted by all, and what is settled is what every rank did and can change no more. */
    private static void checkAgainstRanks(World world, PlanCommand command) {
        if (command instanceof PlanCommand.Permit permit) {
            for (int rank = 0; rank < World.RANKS; rank++) {
                if (!hasSaid(world, rank, permit, permit.epoch(), RankAck.Kind.ACCEPTED)) {
                    throw new Violation(
                            "P3 authority", World.shortly(command) + ", which rank " + rank + " has not accepted");
                }
            }
        } else if (command instanceof PlanCommand.Settled end) {
            checkEnd(world, command, end.epoch(), end.batchesFlipped());
        } else if (command instanceof PlanCommand.Void end) {
            checkEnd(world, command, end.epoch(), 0);
        }
    }

    private static void checkEnd(World world, PlanCommand end, int epoch, int batches) {
        if (world.scope.lives.lifeOf(end.header().incarnation()) != world.life()) {
            world.scope.reached.add("void with its life");
            if (world.get(Of.SOURCE_DIED) != 0) {
                world.scope.reached.add("void with its life after a source died");
            }
            return;
        }
        int last = world.log().decision(epoch).batches();
        for (int rank = 0; rank < World.RANKS; rank++) {
            if (world.flipped(rank, epoch) != batches) {
                throw new Violation(
                        "P6 truth",
                        World.shortly(end) + ", and rank " + rank + " has flipped " + world.flipped(rank, epoch)
                                + " of " + last);
            }
            boolean ended = batches == last
                    || world.get(Of.ENDING) != 0
                    || hasSaid(world, rank, end, epoch, RankAck.Kind.ABORTED);
            if (!ended) {
                throw new Violation(
                        "P6 truth", World.shortly(end) + ", and rank " + rank + " may still flip more of it");
            }
        }
        world.scope.reached.add(batches == last ? "settled " + epoch : "stopped after " + batches);
        if (batches == last && world.get(Of.SOURCE_DIED) != 0) {
            world.scope.reached.add("settled " + epoch + " after a source died");
        }
        if (batches == last && world.used(Power.MISS_END) > 0) {
            world.scope.reached.add("settled " + epoch + " after a miss");
        }
    }

    private static boolean hasSaid(World world, int rank, PlanCommand command, int epoch, RankAck.Kind kind) {
        long incarnation = command.header().incarnation();
        for (RankAck ack : world.scope.ranks.said(world.get(rank, OfRank.SAID))) {
            if (ack.epoch() == epoch && ack.kind() == kind && ack.incarnation() == incarnation) {
                return true;
            }
        }
        return false;
    }

    /** P6: what is kept is the fold of the log's settlements. */
    private static void checkTruth(World world) {
        List<SettledPlacement> kept = world.scope.planners.kept(world.get(Of.KEPT));
        if (kept.isEmpty() || !world.scope.isNewTruth(world.get(Of.LOG), world.get(Of.KEPT))) {
            return;
        }
        Log log = world.log();
        Membership members =
                world.scope.lives.of(world.scope.lives.lifeOf(kept.get(0).incarnation()));
        Placement settled = log.settled(world.scope.lives.lifeOf(members.incarnation()));
        for (SettledPlacement record : kept) {
            if (!record.equals(SettledPlacement.of(
                    members.deployment(), members.incarnation(), settled, record.layer(), settled.hash()))) {
                throw new Violation("P6 truth", record + " is kept, and the log has settled " + settled);
            }
        }
    }

    private static void checkQuarantine(World world) {
        if (!world.scope.engineMoves || world.used(Power.FAIL_TRANSFER) == 0) {
            throw new Violation("P5 prefix", "the planner gives up: " + world.stage());
        }
        world.scope.reached.add("quarantined");
    }

    /** Acks of decisions that are over are nothing to a planner: they are held against it once, and forgotten. */
    private static void forgetOld(World world) {
        int over = world.log().over();
        for (int rank = 0; rank < World.RANKS; rank++) {
            int said = world.get(rank, OfRank.SAID);
            int rest = world.scope.ranks.since(said, over);
            if (rest == said) {
                continue;
            }
            world.set(rank, OfRank.SAID, rest);
            for (RankAck ack : world.scope.ranks.said(said)) {
                PlannerTable.Act act = world.scope.planners.apply(
                        world.get(Of.PLANNER), new DriverEvent.Happened(new Event.Acked(ack)));
                if (ack.epoch() <= over && act.planner() != world.get(Of.PLANNER)) {
                    throw new Violation("noise", "an old ack changes the planner: " + ack.summary());
                }
            }
        }
    }
}
