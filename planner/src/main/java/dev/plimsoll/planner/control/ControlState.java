package dev.plimsoll.planner.control;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.Constraints.Pin;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What one deployment's control log comes to: a fold over its records in the order of the log.
 *
 * <p>A command counts from its answer on, and only if that says DONE: so whoever reads the log comes to what the planner who answered
 * came to, and a command that was refused is in force for nobody. Of two with one id the second is a repetition, of two answers too.
 * Pause, pins and drains hold over incarnations.
 *
 * @param paused empty where decisions may be made
 * @param pins what is pinned, whether or not the incarnation has it
 * @param drained ranks, whether or not the incarnation has them
 * @param approved by epoch, which is never used again
 * @param unanswered in the order of the log
 * @param ids of all commands so far
 */
public record ControlState(
        Optional<Said> paused,
        SortedMap<Pin, Said> pins,
        SortedMap<RankId, Said> drained,
        SortedMap<Integer, Said> approved,
        List<Control> unanswered,
        Set<String> ids) {
    /** Nobody has ever asked for anything. */
    public static final ControlState NONE =
            new ControlState(Optional.empty(), new TreeMap<>(), new TreeMap<>(), new TreeMap<>(), List.of(), Set.of());

    public ControlState {
        pins = Collections.unmodifiableSortedMap(new TreeMap<>(pins));
        drained = Collections.unmodifiableSortedMap(new TreeMap<>(drained));
        approved = Collections.unmodifiableSortedMap(new TreeMap<>(approved));
        unanswered = List.copyOf(unanswered);
        ids = Set.copyOf(ids);
    }

    /** @param records of one deployment, in the order of the log */
    public static ControlState of(List<? extends ControlRecord> records) {
        Fold fold = new Fold(NONE);
        records.forEach(fold::add);
        return fold.done();
    }

    /** With the next record of the log. */
    public ControlState plus(ControlRecord record) {
        Fold fold = new Fold(this);
        fold.add(record);
        return fold.done();
    }

    /** What placements of an incarnation have to keep: pins and drains of what it has. */
    public Constraints constraints(Membership members) {
        SortedSet<Pin> pinned = new TreeSet<>(pins.keySet());
        pinned.removeIf(pin -> !has(members, pin));
        SortedSet<RankId> ranks = new TreeSet<>(drained.keySet());
        ranks.removeIf(rank -> !has(members, rank));
        return new Constraints(pinned, ranks);
    }

    /** Pins and drains of what an incarnation lacks, in words: they come into force again with what they speak of. */
    public List<String> dormant(Membership members) {
        List<String> dormant = new ArrayList<>();
        pins.forEach((pin, said) -> {
            if (!has(members, pin)) {
                dormant.add("pin of " + pin + " " + said);
            }
        });
        drained.forEach((rank, said) -> {
            if (!has(members, rank)) {
                dormant.add("drain of " + rank + " " + said);
            }
        });
        return dormant;
    }

    static boolean has(Membership members, Pin pin) {
        return has(members, pin.rank())
                && pin.layer().index() < members.shape().layers()
                && pin.expert().index() < members.shape().experts();
    }

    static boolean has(Membership members, RankId rank) {
        return rank.index() < members.topology().ranks();
    }

    /** With one more pin or drain, to see what would come of it. */
    ControlState with(Control control) {
        Fold fold = new Fold(this);
        fold.done(control);
        return fold.done();
    }

    /** A state in the making. */
    private static final class Fold {
        private final SortedMap<Pin, Said> pins;
        private final SortedMap<RankId, Said> drained;
        private final SortedMap<Integer, Said> approved;
        private final Map<String, Control> unanswered = new LinkedHashMap<>();
        private final Set<String> ids;
        private Optional<Said> paused;

        Fold(ControlState state) {
            paused = state.paused;
            pins = new TreeMap<>(state.pins);
            drained = new TreeMap<>(state.drained);
            approved = new TreeMap<>(state.approved);
            state.unanswered.forEach(control -> unanswered.put(control.id(), control));
            ids = new HashSet<>(state.ids);
        }

        void add(ControlRecord record) {
            if (record instanceof Control control) {
                if (ids.add(control.id())) {
                    unanswered.put(control.id(), control);
                }
            } else if (record instanceof ControlAnswer answer) {
                Control control = unanswered.remove(answer.id());
                if (control != null && answer.verdict() == ControlAnswer.Verdict.DONE) {
                    done(control);
                }
            }
        }

        void done(Control control) {
            Said said = Said.of(control);
            ControlAction action = control.action();
            if (action instanceof ControlAction.Pause) {
                paused = Optional.of(said);
            } else if (action instanceof ControlAction.Resume) {
                paused = Optional.empty();
            } else if (action instanceof ControlAction.Approve approve) {
                approved.put(approve.epoch(), said);
            } else if (action instanceof ControlAction.Pin pin) {
                pins.put(new Pin(pin.layer(), pin.expert(), pin.rank()), said);
            } else if (action instanceof ControlAction.Unpin pin) {
                pins.remove(new Pin(pin.layer(), pin.expert(), pin.rank()));
            } else if (action instanceof ControlAction.Drain drain) {
                drained.put(drain.rank(), said);
            } else if (action instanceof ControlAction.Undrain undrain) {
                drained.remove(undrain.rank());
            }
        }

        ControlState done() {
            return new ControlState(paused, pins, drained, approved, List.copyOf(unanswered.values()), ids);
        }
    }
}
