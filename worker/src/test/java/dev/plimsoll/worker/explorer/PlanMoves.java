package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.PlanOrder;
import dev.plimsoll.planner.PlanTarget;
import dev.plimsoll.planner.placement.Rollback;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/** What plans may do that are made for the planner that lives: at once, or while other things happen. */
final class PlanMoves {
    private PlanMoves() {}

    static void of(World world, List<World> next) {
        PlannerTable planners = world.scope.planners;
        int planner = world.get(Of.PLANNER);
        int life = world.scope.lives.lifeOf(planners.members(planner).incarnation());
        int made = world.log().proposed(life);
        int order = planners.ordered(planner);
        if (order != 0) {
            planners.made(planner, order, life, made)
                    .ifPresent(act -> next.add(world.with(w -> {
                        w.tell("the plan is made");
                        Commits.commit(w, act);
                    })));
        } else {
            planners.plan(planner, life, made)
                    .ifPresent(act -> next.add(world.with(w -> {
                        w.tell("planner has a plan");
                        Commits.commit(w, act);
                    })));
            begin(world, next);
        }
        late(world, next);
        worse(world, life, next);
    }

    /** A plan is begun of another window than that of the last one, which may still come. */
    private static void begin(World world, List<World> next) {
        if (!world.may(Power.SLOW_PLAN)) {
            return;
        }
        PlannerTable planners = world.scope.planners;
        boolean first = world.get(Of.LATE_PLAN) == 0
                || planners.order(world.get(Of.LATE_PLAN)).window() != 1;
        planners.begin(world.get(Of.PLANNER), first ? 1 : 2)
                .ifPresent(act -> next.add(world.with(w -> {
                    w.tell("a plan is begun");
                    w.use(Power.SLOW_PLAN);
                    Commits.commit(w, act);
                })));
    }

    /** A plan that is not wanted any more comes all the same, and nobody takes notice. */
    static void late(World world, List<World> next) {
        int late = world.get(Of.LATE_PLAN);
        if (late == 0) {
            return;
        }
        PlannerTable planners = world.scope.planners;
        int planner = world.get(Of.PLANNER);
        int life = world.scope.lives.lifeOf(planners.members(planner).incarnation());
        if (planners.made(planner, late, life, world.log().proposed(life)).isPresent()) {
            PlanOrder order = planners.order(late);
            throw new Violation("dropped plans are dropped", "the plan of " + order + " changes a planner");
        }
        next.add(world.with(w -> {
            w.tell("a plan comes that is not wanted any more");
            w.set(Of.LATE_PLAN, 0);
        }));
    }

    /** The settled placement is found worse than the one before, unless somebody asked for it. */
    private static void worse(World world, int life, List<World> next) {
        SortedMap<Integer, Placement> settled = world.log().folded.placements(world.scope.lives.of(life));
        int version = settled.lastKey();
        if (!world.may(Power.FIND_WORSE) || version == settled.firstKey()) {
            return;
        }
        boolean own = world.log().decision(version).propose().policy().equals(Planning.POLICY);
        Optional<Placement> before = settled.headMap(version).values().stream().reduce((earlier, later) -> later);
        if (own) {
            PlanTarget target = new PlanTarget(before.orElseThrow(), Rollback.POLICY, "it was worse");
            next.add(world.with(w -> {
                w.tell("v%d is found worse than before", version);
                w.use(Power.FIND_WORSE);
                Commits.commit(w, w.scope.planners.apply(w.get(Of.PLANNER), new DriverEvent.Worse(version, target)));
            }));
        }
    }
}
