package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.Constraints.Pin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The control log up to a record, with what is in force by it: told here by other means than {@link ControlState}, which is checked by it. */
final class ControlLog {
    /** Control logs by their numbers: equal ones have one. */
    static final class Root {
        private final Table<List<ControlRecord>> numbers = new Table<>();
        private final List<ControlLog> logs = new ArrayList<>();

        int number(List<ControlRecord> records) {
            int number = numbers.number(List.copyOf(records));
            if (number > logs.size()) {
                logs.add(new ControlLog(numbers.value(number)));
            }
            return number;
        }

        ControlLog log(int number) {
            return logs.get(number - 1);
        }

        /** The number of a log with more records behind it. */
        int and(int number, List<? extends ControlRecord> more) {
            List<ControlRecord> records = new ArrayList<>(log(number).records);
            records.addAll(more);
            return number(records);
        }
    }

    final List<ControlRecord> records;
    /** In their order. */
    final List<Control> unanswered;

    private final Map<String, Control> commands = new HashMap<>();
    private final List<ControlAction> done = new ArrayList<>();

    private ControlLog(List<ControlRecord> records) {
        this.records = records;
        Set<String> answered = new HashSet<>();
        List<Control> asked = new ArrayList<>();
        for (ControlRecord record : records) {
            if (record instanceof Control control && commands.putIfAbsent(control.id(), control) == null) {
                asked.add(control);
            } else if (record instanceof ControlAnswer answer) {
                answered.add(answer.id());
                if (answer.verdict() == ControlAnswer.Verdict.DONE) {
                    done.add(Objects.requireNonNull(commands.get(answer.id()), answer::id)
                            .action());
                }
            }
        }
        asked.removeIf(control -> answered.contains(control.id()));
        unanswered = List.copyOf(asked);
    }

    /** How often operators have spoken. */
    int spoken() {
        return (int) records.stream().filter(Control.class::isInstance).count();
    }

    Optional<Control> last() {
        return records.stream()
                .filter(Control.class::isInstance)
                .map(Control.class::cast)
                .reduce((earlier, later) -> later);
    }

    boolean paused() {
        boolean paused = false;
        for (ControlAction action : done) {
            paused = action instanceof ControlAction.Pause || paused && !(action instanceof ControlAction.Resume);
        }
        return paused;
    }

    boolean approved(int epoch) {
        return done.contains(new ControlAction.Approve(epoch));
    }

    /** What every placement that is decided for now has to keep. */
    Constraints constraints() {
        TreeSet<Pin> pins = new TreeSet<>();
        TreeSet<RankId> drained = new TreeSet<>();
        for (ControlAction action : done) {
            if (action instanceof ControlAction.Pin pin) {
                pins.add(new Pin(pin.layer(), pin.expert(), pin.rank()));
            } else if (action instanceof ControlAction.Unpin pin) {
                pins.remove(new Pin(pin.layer(), pin.expert(), pin.rank()));
            } else if (action instanceof ControlAction.Drain drain) {
                drained.add(drain.rank());
            } else if (action instanceof ControlAction.Undrain undrain) {
                drained.remove(undrain.rank());
            }
        }
        return new Constraints(pins, drained);
    }
}
