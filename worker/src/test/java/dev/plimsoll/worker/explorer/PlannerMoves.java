package dev.plimsoll.worker.explorer;

import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import java.util.ArrayList;
import java.util.List;
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
        PlannerState state = planners.state(planner);
        int[] said = {world.get(0, OfRank.SAID), world.get(1, OfRank.SAID), world.get(2, OfRank.SAID)};
        for (PlannerTable.Act act : planners.hear(planner, said)) {
            next.add(to(world, w -> {
                w.tell("planner hears acks");
                Commits.commit(w, act);
            }));
        }
        if (state.members().incarnation() < world.scope.lives.of(world.life()).incarnation()) {
            act(world, next, "planner hears of the new life", new Event.Began(world.scope.lives.of(world.life())));
        }
        if (state.stage() instanceof Stage.Idle) {
            offer(world, state, next);
        }
        PeopleMoves.of(world, state.stage(), next);
        boolean mayStop = world.may(Power.STOP) || world.anyGone();
        if (mayStop && (state.stage() instanceof Stage.Proposed || state.stage() instanceof Stage.Running)) {
            next.add(to(world, w -> {
                if (!w.anyGone()) {
                    w.use(Power.STOP);
                }
                w.tell("planner is told to stop");
                Commits.commit(w, planners.apply(planner, new Event.OperatorAbort("asked")));
            }));
            next.add(to(world, w -> {
                if (!w.anyGone()) {
                    w.use(Power.STOP);
                }
                w.tell("planner has waited for too long");
                Commits.commit(w, planners.apply(planner, new Event.TimePassed()));
            }));
        }
        fails(world, next);
    }

    private static void act(World world, List<World> next, String told, Event event) {
        next.add(to(world, w -> {
            w.tell(told);
            Commits.commit(w, w.scope.planners.apply(w.get(Of.PLANNER), event));
        }));
    }

    private static void offer(World world, PlannerState state, List<World> next) {
        int life = world.scope.lives.lifeOf(state.members().incarnation());
        int proposed = world.log().proposed(life);
        if (proposed < world.scope.lives.decisions().get(life).size()) {
            next.add(to(world, w -> {
                w.tell("planner has a plan");
                Commits.commit(w, w.scope.planners.offer(w.get(Of.PLANNER), life, proposed));
            }));
        }
    }

    /** It dies; or another has begun to take over from it, and it has not noticed. */
    private static void fails(World world, List<World> next) {
        if (world.may(Power.KILL_PLANNER)) {
            next.add(to(world, w -> {
                w.tell("planner dies");
                w.use(Power.KILL_PLANNER);
                w.set(Of.PLANNER, 0);
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
            if (w.scope.takeOver == Scope.TakeOver.READS_THEN_FENCES) {
                w.set(Of.READ_BEFORE, w.get(Of.LOG));
            }
        }));
    }

    /** Fenced, the log read to its end, TERM: nobody can write between, so that it is one step. */
    private static void starting(World world, List<World> next) {
        next.add(to(world, w -> {
            int read = w.get(Of.READ_BEFORE) == 0 ? w.get(Of.LOG) : w.get(Of.READ_BEFORE);
            w.set(Of.READ_BEFORE, 0);
            w.tell("planner takes over");
            Commits.takeOver(w, read);
        }));
    }

    /** What a fenced planner tries is refused, and it is gone; one that nobody has fenced is a planner. */
    private static void zombie(World world, List<World> next) {
        int planner = world.get(Of.ZOMBIE);
        boolean fenced = world.scope.takeOver == Scope.TakeOver.FENCES_THEN_READS
                || world.scope.takeOver == Scope.TakeOver.READS_THEN_FENCES && world.planned();
        if (fenced) {
            next.add(to(world, w -> {
                w.tell("the planner before notices that it is fenced");
                w.set(Of.ZOMBIE, 0);
            }));
            return;
        }
        PlannerTable.Act act = world.scope.planners.apply(planner, new Event.OperatorAbort("asked"));
        if (!act.commands().isEmpty()) {
            next.add(to(world, w -> {
                w.tell("the planner before is told to stop");
                Commits.append(w, act);
                w.set(Of.ZOMBIE, 0);
            }));
        }
        int life = world.life();
        int proposed = world.log().proposed(life);
        if (world.scope.planners.state(planner).stage() instanceof Stage.Idle
                && proposed < world.scope.lives.decisions().get(life).size()) {
            PlannerTable.Act plan = world.scope.planners.offer(planner, life, proposed);
            next.add(to(world, w -> {
                w.tell("the planner before has a plan");
                Commits.append(w, plan);
                w.set(Of.ZOMBIE, 0);
            }));
        }
    }

    private static World to(World world, Consumer<World> change) {
        return world.with(change);
    }
}
