package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Control;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Sight;
import dev.plimsoll.planner.protocol.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** All that planners may do between two boundaries, and what may befall them. */
final class PlannerMoves {
    private PlannerMoves() {}

    static List<World> of(World world) {
        List<World> next = new ArrayList<>();
        if (world.get(Of.ZOMBIE) != 0) {
            zombie(world, next);
        }
        if (world.planned()) {
            alive(world, next);
        } else {
            starting(world, next);
        }
        OperatorMoves.of(world, next);
        if (world.may(Power.RESTART)) {
            next.add(to(world, w -> {
                w.tell("all ranks begin a new life");
                w.use(Power.RESTART);
                w.beginLife(w.life() + 1);
            }));
        }
        return next;
    }

    private static void alive(World world, List<World> next) {
        PlannerTable planners = world.scope.planners;
        int planner = world.get(Of.PLANNER);
        Stage stage = planners.stage(planner);
        int first = world.get(0, OfRank.SAID);
        for (PlannerTable.Act act :
                world.scope.hearing.acts(planner, first, world.get(1, OfRank.SAID), world.get(2, OfRank.SAID))) {
            next.add(to(world, w -> {
                w.tell("planner hears acks");
                Commits.commit(w, act);
            }));
        }
        if (planners.members(planner).incarnation()
                < world.scope.lives.of(world.life()).incarnation()) {
            act(world, next, "planner hears of the new life", new Event.Began(world.scope.lives.of(world.life())));
        }
        if (stage instanceof Stage.Idle) {
            PlanMoves.of(world, next);
        } else {
            PlanMoves.late(world, next);
        }
        OperatorMoves.end(world, stage, next);
        boolean mayStop = world.may(Power.STOP) || world.anyGone();
        if (mayStop && (stage instanceof Stage.Proposed || stage instanceof Stage.Running)) {
            stop(world, next, "planner is told to stop", new Event.OperatorAbort("asked"));
            stop(world, next, "planner has waited for too long", new Event.TimePassed());
        } else if (stage instanceof Stage.Proposed proposed
                && proposed.approval().awaited()) {
            act(world, next, "planner has waited for a person for too long", new Event.TimePassed());
        }
        fails(world, next);
    }

    private static void stop(World world, List<World> next, String told, Event event) {
        next.add(to(world, w -> {
            if (!w.anyGone()) {
                w.use(Power.STOP);
            }
            w.tell(told);
            Commits.commit(w, w.scope.planners.apply(w.get(Of.PLANNER), new DriverEvent.Happened(event)));
        }));
    }

    private static void act(World world, List<World> next, String told, Event event) {
        next.add(to(world, w -> {
            w.tell(told);
            Commits.commit(w, w.scope.planners.apply(w.get(Of.PLANNER), new DriverEvent.Happened(event)));
        }));
    }

    /** It dies; or another has begun to take over from it, and it has not noticed. */
    private static void fails(World world, List<World> next) {
        if (world.may(Power.KILL_PLANNER)) {
            next.add(to(world, w -> {
                w.tell("planner dies");
                w.use(Power.KILL_PLANNER);
                w.set(Of.PLANNER, 0);
                w.set(Of.LATE_PLAN, 0);
            }));
        }
        if (!world.may(Power.FAIL_OVER)) {
            return;
        }
        next.add(to(world, w -> {
            w.tell("another planner begins to take over");
            w.use(Power.FAIL_OVER);
            w.set(Of.ZOMBIE, w.get(Of.PLANNER));
            w.set(Of.PLANNER, 0);
            w.set(Of.LATE_PLAN, 0);
            if (w.scope.takeOver == Scope.TakeOver.READS_THEN_FENCES) {
                w.set(Of.READ_BEFORE, w.get(Of.LOG));
            } else if (w.scope.takeOver == Scope.TakeOver.READS_CONTROL_THEN_FENCES) {
                w.set(Of.CONTROL_READ_BEFORE, w.get(Of.CONTROL));
            }
        }));
    }

    /** Fenced, the log read to its end, TERM: nobody can write between, so that it is one step. */
    private static void starting(World world, List<World> next) {
        next.add(to(world, w -> {
            int read = w.get(Of.READ_BEFORE) == 0 ? w.get(Of.LOG) : w.get(Of.READ_BEFORE);
            int control = w.get(Of.CONTROL_READ_BEFORE) == 0 ? w.get(Of.CONTROL) : w.get(Of.CONTROL_READ_BEFORE);
            w.set(Of.READ_BEFORE, 0);
            w.set(Of.CONTROL_READ_BEFORE, 0);
            w.tell("planner takes over");
            Commits.takeOver(w, read, control);
        }));
    }

    /** What a fenced planner tries is refused, and it is gone; one that nobody has fenced is a planner. */
    private static void zombie(World world, List<World> next) {
        int planner = world.get(Of.ZOMBIE);
        boolean fenced = switch (world.scope.takeOver) {
            case FENCES_THEN_READS -> true;
            case READS_THEN_FENCES, READS_CONTROL_THEN_FENCES -> world.planned();
            case FENCES_NOBODY -> false;
        };
        if (fenced) {
            next.add(to(world, w -> {
                w.tell("the planner before notices that it is fenced");
                w.set(Of.ZOMBIE, 0);
            }));
            return;
        }
        PlannerTable.Act act =
                world.scope.planners.apply(planner, new DriverEvent.Happened(new Event.OperatorAbort("asked")));
        if (!act.commands().isEmpty()) {
            next.add(to(world, w -> {
                w.tell("the planner before is told to stop");
                Commits.append(w, act);
                w.set(Of.ZOMBIE, 0);
            }));
        }
        if (world.scope.planners.stage(planner) instanceof Stage.Idle) {
            int life = world.life();
            world.scope
                    .planners
                    .plan(planner, life, world.log().proposed(life))
                    .ifPresent(plan -> next.add(to(world, w -> {
                        w.tell("the planner before has a plan");
                        Commits.append(w, plan);
                        w.set(Of.ZOMBIE, 0);
                    })));
        }
        if (!world.control().unanswered.isEmpty()) {
            Control command = world.control().unanswered.get(0);
            next.add(to(world, w -> {
                w.tell("the planner before hears an operator");
                Commits.append(w, w.scope.planners.answer(planner, Optional.of(command), w.get(Of.LOG), Sight.NONE));
                w.set(Of.ZOMBIE, 0);
            }));
        }
    }

    private static World to(World world, Consumer<World> change) {
        return world.with(change);
    }
}
