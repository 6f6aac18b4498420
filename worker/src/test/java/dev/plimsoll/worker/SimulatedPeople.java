package dev.plimsoll.worker;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints.Pin;
import dev.plimsoll.planner.protocol.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;

/** People who type commands in a simulation, each by a clock of their own: any verb, and mostly one that makes sense. */
final class SimulatedPeople {
    private static final int DAY_MILLIS = 86_400_000;

    private final SimulatedLogs logs;
    private final RandomGenerator random;
    private int commands;

    SimulatedPeople(SimulatedLogs logs, RandomGenerator random) {
        this.logs = logs;
        this.random = random;
    }

    /** @param stage of the planner, where there is one */
    ControlAction choose(Membership members, Optional<Stage> stage) {
        ControlState now = logs.people();
        int last = Math.max(1, logs.folded().lastEpoch() - (random.nextInt(6) == 0 ? 1 : 0));
        if (stage.filter(Stage.Aborting.class::isInstance).isPresent() && random.nextInt(3) > 0) {
            return new ControlAction.Void();
        }
        if (now.paused().isPresent() && random.nextInt(3) == 0) {
            return new ControlAction.Resume();
        }
        return switch (random.nextInt(16)) {
            case 0, 1 -> new ControlAction.Pause();
            case 2 -> new ControlAction.Resume();
            case 3 -> new ControlAction.Reject(last);
            case 4, 5 -> new ControlAction.Abort(last);
            case 6 -> new ControlAction.Void();
            case 7, 8, 9 -> new ControlAction.Rollback(version(members));
            case 10, 11 ->
                new ControlAction.Pin(
                        new LayerId(random.nextInt(members.shape().layers())),
                        new ExpertId(random.nextInt(members.shape().experts())),
                        rank());
            case 12 -> unpin(now);
            case 13 -> new ControlAction.Drain(rank());
            case 14 ->
                now.drained().isEmpty()
                        ? new ControlAction.Undrain(rank())
                        : new ControlAction.Undrain(now.drained().firstKey());
            default -> new ControlAction.Approve(last);
        };
    }

    /** One rank too many at times. */
    private RankId rank() {
        return new RankId(random.nextInt(random.nextInt(8) == 0 ? SimulatedGroup.RANKS + 1 : SimulatedGroup.RANKS));
    }

    /** Mostly one that there was, and not the one that is settled. */
    private int version(Membership members) {
        List<Integer> known = new ArrayList<>(logs.folded().placements(members).keySet());
        if (known.size() > 1) {
            known.remove(known.size() - 1);
        }
        return known.get(random.nextInt(known.size()));
    }

    private ControlAction unpin(ControlState now) {
        Pin pin = now.pins().isEmpty()
                ? new Pin(new LayerId(0), new ExpertId(0), rank())
                : now.pins().firstKey();
        return new ControlAction.Unpin(pin.layer(), pin.expert(), pin.rank());
    }

    void say(ControlAction action, Membership members) {
        OptionalInt basedOn = OptionalInt.empty();
        if (random.nextInt(5) == 0) {
            basedOn = OptionalInt.of(
                    random.nextBoolean() ? logs.folded().placements(members).lastKey() : version(members));
        }
        logs.say(new Control(
                members.deployment(),
                "c" + commands++,
                DAY_MILLIS + random.nextInt(DAY_MILLIS),
                "test",
                "test",
                basedOn,
                action));
    }
}
