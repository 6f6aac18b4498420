package dev.plimsoll.worker.explorer;

import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Sight;
import dev.plimsoll.planner.protocol.Stage;
import java.util.List;

/** What operators may want of a planner that lives. */
final class PeopleMoves {
    private PeopleMoves() {}

    static void of(World world, Stage stage, List<World> next) {
        PlannerTable planners = world.scope.planners;
        int planner = world.get(Of.PLANNER);
        if (stage instanceof Stage.Proposed proposed && proposed.approval().awaited()) {
            int epoch = proposed.decision().epoch();
            next.add(world.with(w -> {
                w.tell("a person approves");
                w.set(Of.APPROVED, w.get(Of.APPROVED) | 1 << epoch);
                Commits.commit(w, planners.apply(planner, new Event.Approved(epoch)));
            }));
            next.add(world.with(w -> {
                w.tell("a person rejects");
                Commits.commit(w, planners.apply(planner, new Event.Rejected(epoch, "asked")));
            }));
        }
        if (world.may(Power.SHOW_WINDOW) && !world.anyGone() && world.get(Of.ANY_GATHER) != 0) {
            next.add(world.with(w -> {
                w.tell("a window is complete");
                w.use(Power.SHOW_WINDOW);
                w.set(Of.WINDOW, w.scope.windows.number(Window.of(w)));
            }));
        }
        if (world.may(Power.END) && (stage instanceof Stage.Aborting || stage instanceof Stage.Quarantined)) {
            List<Sight> sights = world.get(Of.WINDOW) == 0
                    ? List.of(Sight.NONE)
                    : world.scope.windows.value(world.get(Of.WINDOW)).sights(world);
            for (Sight sight : sights) {
                next.add(world.with(w -> {
                    w.tell("an operator wants it ended");
                    w.use(Power.END);
                    Commits.end(w, planners.apply(planner, new Event.OperatorVoid(sight, "asked")));
                }));
            }
        }
    }
}
