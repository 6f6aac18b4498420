package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.DriverEffect;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.DriverStep;
import dev.plimsoll.planner.PlanOrder;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.Sight;
import dev.plimsoll.planner.protocol.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The planner's decision driver over numbers of states: what was asked once is remembered, for the driver is a function.
 *
 * <p>What {@link Timeless} leaves out is in no state and no command.
 */
final class PlannerTable {
    static final Moment NOW = new Moment(0, 0, false);
    static final Moment LATE = new Moment(1_000_000, 1_000_000, false);

    /**
     * What a planner does in one transaction.
     *
     * @param settled what it keeps, by layer; empty where it keeps nothing new
     * @param answers to operators
     * @param dropped the order of a plan that is not wanted any more, 0 for none
     */
    record Act(
            int planner,
            List<PlanCommand> commands,
            List<SettledPlacement> settled,
            List<ControlAnswer> answers,
            int dropped) {
        static Act nothing(int planner) {
            return new Act(planner, List.of(), List.of(), List.of(), 0);
        }

        boolean writes() {
            return !commands.isEmpty() || !settled.isEmpty() || !answers.isEmpty();
        }
    }

    private record Start(int log, int kept, int life, int control) {}

    private record Asked(int planner, Object event) {}

    /** @param order of a plan that was begun, 0 where it is begun and made at once */
    private record Plan(int planner, int order, int life, int made) {}

    private record Answer(int planner, Optional<Control> written, int log, Sight sight) {}

    private final DecisionDriver driver;
    private final Steering steering;
    private final Lives lives;
    private final Log.Root logs;
    private final ControlLog.Root controls;
    private final Table<DriverState> states = new Table<>();
    private final Table<List<SettledPlacement>> kept = new Table<>();
    private final Table<PlanOrder> orders = new Table<>();
    private final Map<Start, Act> starts = new HashMap<>();
    private final Map<Asked, Act> applied = new HashMap<>();
    private final Map<Plan, Optional<Act>> plans = new HashMap<>();
    private final Map<Answer, Act> answered = new HashMap<>();
    private final Map<List<SettledPlacement>, Map<Integer, Integer>> keeping = new IdentityHashMap<>();
    final int nothingKept = kept.number(List.of());

    PlannerTable(DecisionDriver driver, Steering steering, Lives lives, Log.Root logs, ControlLog.Root controls) {
        this.driver = driver;
        this.steering = steering;
        this.lives = lives;
        this.logs = logs;
        this.controls = controls;
    }

    DriverState state(int number) {
        return states.value(number);
    }

    Stage stage(int number) {
        return state(number).protocol().stage();
    }

    Membership members(int number) {
        return state(number).protocol().members();
    }

    int size() {
        return states.size();
    }

    List<SettledPlacement> kept(int number) {
        return kept.value(number);
    }

    PlanOrder order(int number) {
        return orders.value(number);
    }

    /** What is kept once more was. */
    int keep(int number, List<SettledPlacement> settled) {
        if (settled.isEmpty()) {
            return number;
        }
        return keeping.computeIfAbsent(settled, unused -> new HashMap<>()).computeIfAbsent(number, before -> {
            Map<Integer, SettledPlacement> byLayer = new TreeMap<>();
            kept.value(before).forEach(record -> byLayer.put(record.layer(), record));
            settled.forEach(record -> byLayer.put(record.layer(), record));
            return kept.number(List.copyOf(byLayer.values()));
        });
    }

    /** @param control all that operators and planners have said */
    Act takeOver(int log, int keptNumber, int life, int control) {
        return starts.computeIfAbsent(new Start(log, keptNumber, life, control), start -> begin(start));
    }

    private Act begin(Start start) {
        Log log = logs.number(start.log());
        Act act = begin(start, log.folded, log.setbacks);
        long incarnation = lives.of(start.life()).incarnation();
        boolean foreign = log.folded
                .inFlight()
                .filter(decision -> decision.header().incarnation() != incarnation)
                .isPresent();
        if (!foreign) {
            for (Restarts.Read read : Restarts.of(log, lives.of(start.life()))) {
                Act other = begin(start, read.log(), read.setbacks());
                if (!other.equals(act)) {
                    throw new Violation(
                            "P6 truth",
                            "a successor that does not read from the beginning begins with " + other
                                    + ", one that does with " + act);
                }
            }
        }
        return act;
    }

    private Act begin(Start start, PlanLog read, Setbacks setbacks) {
        return act(steering.takeOver(
                driver,
                read,
                setbacks,
                controls.log(start.control()).records,
                kept.value(start.kept()),
                lives.of(start.life()),
                NOW));
    }

    Act apply(int planner, DriverEvent event) {
        Asked asked = new Asked(planner, event);
        Act known = applied.get(asked);
        if (known == null) {
            boolean late =
                    event instanceof DriverEvent.Happened happened && happened.event() instanceof Event.TimePassed;
            known = act(steering.apply(driver, state(planner), event, late ? LATE : NOW));
            applied.put(asked, known);
        }
        return known;
    }

    /** The newest window is looked at, and a plan begun for it; empty where none may be. */
    Optional<Act> begin(int planner, long window) {
        DriverStep begun = look(planner, window);
        return begun.state().ordered().isPresent() ? Optional.of(act(begun)) : Optional.empty();
    }

    private DriverStep look(int planner, long window) {
        DriverStep seen = steering.apply(driver, state(planner), new DriverEvent.Window(window, Optional.empty()), NOW);
        return steering.apply(driver, seen.state(), new DriverEvent.Look(), NOW);
    }

    /** The same, and the plan is made before anything else happens; empty where nothing is proposed. */
    Optional<Act> plan(int planner, int life, int made) {
        return plans.computeIfAbsent(new Plan(planner, 0, life, made), key -> {
            DriverState begun = look(planner, 1).state();
            return begun.ordered().isEmpty()
                    ? Optional.empty()
                    : made(begun, begun.ordered().orElseThrow(), key);
        });
    }

    /** A plan that was begun is made; empty where nothing comes of it. */
    Optional<Act> made(int planner, int order, int life, int made) {
        return plans.computeIfAbsent(
                new Plan(planner, order, life, made), key -> made(state(planner), orders.value(order), key));
    }

    private Optional<Act> made(DriverState begun, PlanOrder order, Plan key) {
        Verdict verdict = Planning.verdict(order, begun, lives.decisions().get(key.life()), key.made());
        String policy = order.towards().map(target -> target.policy()).orElse(Planning.POLICY);
        Act act = act(
                steering.apply(driver, begun, new DriverEvent.Planned(order, verdict, policy, Optional.empty()), NOW));
        return act.writes() || act.planner() != states.number(Timeless.state(begun))
                ? Optional.of(act)
                : Optional.empty();
    }

    /** An order that a state waits for, 0 for none. */
    int ordered(int planner) {
        return state(planner).ordered().map(orders::number).orElse(0);
    }

    /**
     * A command is read, where one was written, and the oldest that has no answer is answered.
     *
     * @param log from which ways back are known
     */
    Act answer(int planner, Optional<Control> written, int log, Sight sight) {
        return answered.computeIfAbsent(new Answer(planner, written, log, sight), unused -> {
            DriverState read = state(planner);
            if (written.isPresent()) {
                read = steering.apply(driver, read, new DriverEvent.Controlled(written.orElseThrow()), NOW)
                        .state();
            }
            Optional<Verdict> wayBack = Optional.empty();
            if (!read.control().unanswered().isEmpty()
                    && read.control().unanswered().get(0).action() instanceof ControlAction.Rollback rollback) {
                wayBack = Optional.of(wayBack(read, rollback.version(), logs.number(log)));
            }
            return act(steering.apply(driver, read, new DriverEvent.Answering(sight, wayBack), NOW));
        });
    }

    private Verdict wayBack(DriverState state, int version, Log log) {
        Membership members = state.protocol().members();
        Placement target = log.folded.placements(members).get(version);
        return target == null
                ? Verdict.Keep.because(KeepReason.UNKNOWN_STATE, "v" + version + " is not known of this incarnation")
                : steering.wayBack(
                        Planning.request(members, state.protocol().settled()),
                        target,
                        state.control().constraints(members),
                        members);
    }

    private Act act(DriverStep step) {
        List<PlanCommand> commands = new ArrayList<>();
        List<SettledPlacement> settled = new ArrayList<>();
        List<ControlAnswer> answers = new ArrayList<>();
        int dropped = 0;
        for (DriverEffect effect : step.effects()) {
            if (effect instanceof DriverEffect.Write write) {
                commands.add(Timeless.command(write.command()));
            } else if (effect instanceof DriverEffect.Settle settle) {
                settled.add(settle.placement());
            } else if (effect instanceof DriverEffect.Answer answer) {
                answers.add(Timeless.answer(answer.answer()));
            } else if (effect instanceof DriverEffect.Drop drop) {
                dropped = orders.number(Timeless.order(drop.order()));
            }
        }
        return new Act(states.number(Timeless.state(step.state())), commands, settled, List.copyOf(answers), dropped);
    }
}
