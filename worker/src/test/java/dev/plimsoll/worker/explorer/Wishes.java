package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.worker.Fixture;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * What operators may ask for, at any time.
 *
 * @param actions any of them
 * @param most how often they speak
 * @param onVersions whether what they ask for may rest on any version that has been settled, still so or not, too
 * @param repeated whether what was asked for last may stand in the log once more
 */
record Wishes(List<ControlAction> actions, int most, boolean onVersions, boolean repeated) {
    static final Wishes NONE = new Wishes(List.of(), 0, false, false);

    static Wishes of(int most, ControlAction... actions) {
        return new Wishes(List.of(actions), most, false, false);
    }

    Wishes restingOnVersions() {
        return new Wishes(actions, most, true, repeated);
    }

    Wishes repeating() {
        return new Wishes(actions, most, onVersions, true);
    }

    /** All that may be written next. */
    List<Control> next(World world) {
        ControlLog said = world.control();
        int spoken = said.spoken();
        List<Control> next = new ArrayList<>();
        if (spoken >= most) {
            return next;
        }
        String id = "c" + (spoken + 1);
        for (ControlAction action : actions) {
            next.add(wish(id, OptionalInt.empty(), action));
            if (onVersions) {
                for (int version : world.log().versions(world.life())) {
                    next.add(wish(id, OptionalInt.of(version), action));
                }
            }
        }
        if (repeated) {
            said.last().ifPresent(next::add);
        }
        return next;
    }

    private static Control wish(String id, OptionalInt basedOn, ControlAction action) {
        return new Control(Fixture.DEPLOYMENT, id, 0, "operator", "asked", basedOn, action);
    }
}
