package dev.plimsoll.worker;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.DriverEffect;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.DriverStep;
import dev.plimsoll.planner.PlanOrder;
import dev.plimsoll.planner.PlanTarget;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.SimulatedBook;
import dev.plimsoll.planner.ToldCommands;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.worker.Seen.What;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * One life of a planner in a simulation: the decision driver, what it has read, the plans that it waits for, and the transaction that it
 * has in hand. What it believes runs ahead of the logs until that is committed.
 */
final class SimulatedPlanner {
    /** When a planner dies, if it does. */
    enum Fate {
        LIVES,
        BEFORE_COMMIT,
        BETWEEN_COMMIT_AND_TELLING
    }

    private record Making(PlanOrder order, Supplier<Verdict> verdict, long until) {}

    private static final int LOOK_BACK = 12;
    private static final int PLACEMENTS = 16;

    private final Planners kind;
    private final Deciding driver;
    private final SimulatedLogs logs;
    private final RandomGenerator random;
    private final Seen seen;
    private final ToldCommands told;
    private final int token;
    private final int history;
    private final List<List<DriverEffect>> transaction = new ArrayList<>();
    private DriverState state;
    private SimulatedBook book;
    private SimulatedGroup group;
    private Optional<Making> making = Optional.empty();
    private boolean began;
    private int acksRead;
    private int controlRead;
    private int windowsRead;
    /** Who is fenced may think so too, of what its successor has permitted. */
    private Optional<String> quarantined = Optional.empty();

    private boolean fenced;
    private boolean dead;

    /** Fences, reads the logs to their ends, and begins its reign. */
    SimulatedPlanner(
            Planners kind,
            Deciding driver,
            SimulatedLogs logs,
            SimulatedGroup group,
            RandomGenerator random,
            Seen seen,
            Moment now) {
        this.kind = kind;
        this.driver = driver;
        this.logs = logs;
        this.group = group;
        this.random = random;
        this.seen = seen;
        told = new ToldCommands(logs::requireTold);
        token = logs.fence();
        Setbacks setbacks = Setbacks.NONE;
        for (PlanCommand command : logs.plan) {
            setbacks = setbacks.after(command);
        }
        controlRead = logs.control.size();
        history = logs.windows.size();
        windowsRead = Math.max(0, history - random.nextInt(LOOK_BACK));
        PlanLog log = logs.read();
        DriverStep first = driver.takeOver(
                log, setbacks, ControlState.of(logs.control), List.copyOf(logs.kept.values()), group.members, now);
        state = first.state();
        book = new SimulatedBook(log, group.members, settled());
        carryOut(first, now);
    }

    boolean fenced() {
        return fenced;
    }

    boolean dead() {
        return dead;
    }

    Stage stage() {
        return state.protocol().stage();
    }

    Placement settled() {
        return state.protocol().settled();
    }

    Membership members() {
        return state.protocol().members();
    }

    private Constraints asked() {
        return kind.asked().apply(state.control(), members());
    }

    /** Hears of the ranks' new life. */
    void began(SimulatedGroup next, Moment now) {
        group = next;
        apply(new DriverEvent.Happened(new Event.Began(next.members)), now);
        book = new SimulatedBook(new PlanLog(), next.members, settled());
    }

    /** Finds out that what is settled is worse than what was before it. */
    void findWorse(Moment now) {
        logs.folded().placements(members()).headMap(settled().version()).values().stream()
                .reduce((earlier, later) -> later)
                .ifPresent(before -> apply(
                        new DriverEvent.Worse(
                                settled().version(),
                                new PlanTarget(before, Rollback.POLICY, "it is worse than before")),
                        now));
    }

    /**
     * Reads as far as it gets, lets time pass, decides, and commits.
     *
     * @param most records of each log
     * @param decides whether it looks at windows
     */
    void turn(int most, boolean decides, Moment now, Fate fate) {
        for (int i = 0; i < most && acksRead < logs.acks.size(); i++) {
            RankAck ack = logs.acks.get(acksRead++);
            book.heard(ack);
            apply(new DriverEvent.Happened(new Event.Acked(ack)), now);
        }
        while (controlRead < logs.control.size()) {
            apply(new DriverEvent.Controlled(logs.control.get(controlRead++)), now);
        }
        for (int i = 0; i < most && windowsRead < logs.windows.size() && !isAhead(logs.windows.get(windowsRead)); i++) {
            window(logs.windows.get(windowsRead++), now);
        }
        apply(new DriverEvent.Happened(new Event.TimePassed()), now);
        if (making.filter(plan -> now.boundaries() >= plan.until()).isPresent()) {
            Making made = making.orElseThrow();
            making = Optional.empty();
            String policy = made.order().towards().map(PlanTarget::policy).orElse("test");
            apply(new DriverEvent.Planned(made.order(), made.verdict().get(), policy, Optional.empty()), now);
        }
        answer(now);
        if (decides && windowsRead >= history) {
            apply(new DriverEvent.Look(), now);
        }
        commit(now, fate);
    }

    private boolean isAhead(WindowSummary window) {
        return window.incarnation() > members().incarnation();
    }

    private void window(WindowSummary window, Moment now) {
        if (window.incarnation() == members().incarnation()) {
            book.saw(window);
            apply(
                    new DriverEvent.Window(
                            window.index(),
                            window.complete()
                                    ? Optional.empty()
                                    : Optional.of(Verdict.Keep.because(KeepReason.INCOMPLETE, "test"))),
                    now);
        }
    }

    /** Whoever takes over reads old windows before it answers what looks at them. */
    private void answer(Moment now) {
        while (!state.control().unanswered().isEmpty()) {
            ControlAction action = state.control().unanswered().get(0).action();
            boolean looks = action instanceof ControlAction.Void || action instanceof ControlAction.Rollback;
            if (looks && windowsRead < history) {
                return;
            }
            Optional<Verdict> wayBack = action instanceof ControlAction.Rollback rollback
                    ? Optional.of(book.wayBack(rollback.version(), settled(), asked()))
                    : Optional.empty();
            apply(new DriverEvent.Answering(book.sight(stage().inFlight()), wayBack), now);
        }
    }

    private void apply(DriverEvent event, Moment now) {
        DriverStep step = driver.apply(state, event, now);
        state = step.state();
        carryOut(step, now);
    }

    private void carryOut(DriverStep step, Moment now) {
        boolean writes = false;
        for (DriverEffect effect : step.effects()) {
            if (effect instanceof DriverEffect.Write write) {
                writes = true;
                book.wrote(write.command(), settled());
                told.written(write.command());
                if (kind.tellsAtOnce()) {
                    told.taken();
                    told.committed();
                }
            } else if (effect instanceof DriverEffect.Settle || effect instanceof DriverEffect.Answer) {
                writes = true;
            } else if (effect instanceof DriverEffect.Plan plan) {
                making = Optional.of(make(plan.order(), now));
            } else if (effect instanceof DriverEffect.Drop) {
                making = Optional.empty();
            } else if (effect instanceof DriverEffect.Refuse refuse) {
                seen.saw(What.HELD_BACK, refuse.keep().reason() == KeepReason.PAUSED ? 1 : 0);
            } else if (effect instanceof DriverEffect.Alarm alarm && alarm.quarantined()) {
                quarantined = Optional.of(alarm.text());
            }
        }
        if (writes) {
            transaction.add(step.effects());
        }
    }

    /** From what is known now, whatever comes until it is made. */
    private Making make(PlanOrder order, Moment now) {
        SimulatedBook from = book;
        Placement settled = settled();
        Constraints asked = asked();
        long seed = random.nextInt(PLACEMENTS);
        boolean fails = random.nextInt(8) == 0;
        return new Making(
                order,
                () -> fails ? Verdict.Keep.because(KeepReason.ERROR, "test") : from.plan(order, settled, asked, seed),
                now.boundaries() + random.nextInt(4));
    }

    /** All of it or nothing, and nothing where another planner has fenced. */
    private void commit(Moment now, Fate fate) {
        told.taken();
        if (!transaction.isEmpty()) {
            if (!logs.holds(token)) {
                fenced = true;
                return;
            }
            if (fate == Fate.BEFORE_COMMIT) {
                seen.saw(What.DIED_BEFORE_COMMIT);
                dead = true;
                return;
            }
            for (List<DriverEffect> step : transaction) {
                logs.write(step, group, !began);
                began = true;
            }
            transaction.clear();
            if (fate == Fate.BETWEEN_COMMIT_AND_TELLING) {
                seen.saw(What.DIED_UNTOLD);
                dead = true;
                return;
            }
        }
        told.committed();
        if (quarantined.isPresent()) {
            throw new AssertionError("quarantined: " + quarantined.orElseThrow());
        }
    }
}
