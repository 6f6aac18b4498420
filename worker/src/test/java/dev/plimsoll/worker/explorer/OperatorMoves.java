package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Sight;
import dev.plimsoll.planner.protocol.Stage;
import java.util.List;
import java.util.Optional;

/**
 * What operators may want. A command that nobody has read yet is as if it had not been written, so it waits in the log only while no
 * planner lives.
 */
final class OperatorMoves {
    private OperatorMoves() {}

    static void of(World world, List<World> next) {
        boolean lives = world.planned();
        List<Control> waiting = lives
                ? world.scope.planners.state(world.get(Of.PLANNER)).control().unanswered()
                : List.of();
        if (!waiting.isEmpty()) {
            answer(world, waiting.get(0), Optional.empty(), next);
            return;
        }
        for (Control command : world.scope.wishes.next(world)) {
            World written = world.with(w -> {
                w.tell("%s wants %s", command.id(), command.action().summary() + based(command));
                w.set(Of.CONTROL, w.scope.controls.and(w.get(Of.CONTROL), List.of(command)));
            });
            if (lives) {
                answer(written, command, Optional.of(command), next);
            } else {
                next.add(written);
            }
        }
    }

    private static String based(Control command) {
        return command.basedOn().isPresent() ? " on v" + command.basedOn().getAsInt() : "";
    }

    private static void answer(World world, Control command, Optional<Control> written, List<World> next) {
        boolean ends = command.action() instanceof ControlAction.Void;
        for (Sight sight : ends ? sights(world) : List.of(Sight.NONE)) {
            next.add(world.with(w -> {
                PlannerTable.Act act = w.scope.planners.answer(w.get(Of.PLANNER), written, w.get(Of.LOG), sight);
                if (ends) {
                    Commits.end(w, act);
                } else {
                    Commits.commit(w, act);
                }
            }));
        }
    }

    /** All that may have been seen of the ranks. */
    private static List<Sight> sights(World world) {
        return world.get(Of.WINDOW) == 0
                ? List.of(Sight.NONE)
                : world.scope.windows.value(world.get(Of.WINDOW)).sights(world);
    }

    /** Windows, and what may be ended by what they show, as the protocol alone lets it. */
    static void end(World world, Stage stage, List<World> next) {
        if (world.may(Power.SHOW_WINDOW) && !world.anyGone() && world.get(Of.ANY_GATHER) != 0) {
            next.add(world.with(w -> {
                w.tell("a window is complete");
                w.use(Power.SHOW_WINDOW);
                w.set(Of.WINDOW, w.scope.windows.number(Window.of(w)));
            }));
        }
        if (!world.may(Power.END) || !(stage instanceof Stage.Aborting || stage instanceof Stage.Quarantined)) {
            return;
        }
        for (Sight sight : sights(world)) {
            next.add(world.with(w -> {
                w.tell("an operator wants it ended");
                w.use(Power.END);
                Commits.end(
                        w,
                        w.scope.planners.apply(
                                w.get(Of.PLANNER), new DriverEvent.Happened(new Event.OperatorVoid(sight, "asked"))));
            }));
        }
    }
}
