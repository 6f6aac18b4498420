package dev.plimsoll.worker;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.DriverEffect;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.DriverStep;
import dev.plimsoll.planner.PlanOrder;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Candidate;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Sight;
import dev.plimsoll.planner.protocol.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;

/** One life of a planner in a simulation: the decision driver, what it has read, and the plans that it waits for. */
final class SimulatedPlanner {
    private record Making(PlanOrder order, long until) {}

    private final DecisionDriver driver;
    private final SimulatedLogs logs;
    private final Random random;
    private final Consumer<PlanCommand> told;
    private final int token;
    private DriverState state;
    private SimulatedGroup group;
    private Optional<Making> making = Optional.empty();
    private int acksRead;
    private int controlRead;
    private boolean fenced;

    /** Fences, reads the logs to their ends, and begins its reign. */
    SimulatedPlanner(
            DecisionDriver driver,
            SimulatedLogs logs,
            SimulatedGroup group,
            Random random,
            Moment now,
            Consumer<PlanCommand> told) {
        this.driver = driver;
        this.logs = logs;
        this.group = group;
        this.random = random;
        this.told = told;
        token = logs.fence();
        Setbacks setbacks = Setbacks.NONE;
        for (PlanCommand command : logs.plan) {
            setbacks = setbacks.after(command);
        }
        controlRead = logs.control.size();
        DriverStep first = driver.takeOver(
                logs.read(),
                setbacks,
                ControlState.of(logs.control),
                List.copyOf(logs.kept.values()),
                group.members,
                now);
        state = first.state();
        commit(first, true, now);
    }

    boolean fenced() {
        return fenced;
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

    /** Hears of the ranks' new life. */
    void began(SimulatedGroup next, Moment now) {
        group = next;
        apply(new DriverEvent.Happened(new Event.Began(next.members)), now);
    }

    void abort(Moment now) {
        apply(new DriverEvent.Happened(new Event.OperatorAbort("asked")), now);
    }

    /** Reads acks and commands as far as it gets, and lets time pass. */
    void turn(int most, Moment now) {
        for (int i = 0; i < most && acksRead < logs.acks.size() && !fenced; i++) {
            apply(new DriverEvent.Happened(new Event.Acked(logs.acks.get(acksRead++))), now);
        }
        while (controlRead < logs.control.size() && !fenced) {
            apply(new DriverEvent.Controlled(logs.control.get(controlRead++)), now);
        }
        while (!fenced && !state.control().unanswered().isEmpty()) {
            apply(new DriverEvent.Answering(Sight.NONE, Optional.empty()), now);
        }
        if (!fenced && making.filter(plan -> now.boundaries() >= plan.until()).isPresent()) {
            PlanOrder order = making.orElseThrow().order();
            making = Optional.empty();
            apply(new DriverEvent.Planned(order, verdict(order), "test", Optional.empty()), now);
        }
        if (!fenced) {
            apply(new DriverEvent.Happened(new Event.TimePassed()), now);
        }
    }

    /** A window is complete, and may be decided on. */
    void window(long index, Moment now) {
        apply(new DriverEvent.Window(index, Optional.empty()), now);
        if (!fenced) {
            apply(new DriverEvent.Look(), now);
        }
    }

    private void apply(DriverEvent event, Moment now) {
        DriverStep step = driver.apply(state, event, now);
        state = step.state();
        commit(step, false, now);
    }

    /** One transaction, of which nothing is written where another planner has fenced. */
    private void commit(DriverStep step, boolean begins, Moment now) {
        boolean writes = step.effects().stream()
                .anyMatch(effect -> effect instanceof DriverEffect.Write
                        || effect instanceof DriverEffect.Settle
                        || effect instanceof DriverEffect.Answer);
        if (writes && !logs.holds(token)) {
            fenced = true;
            return;
        }
        boolean first = begins;
        for (DriverEffect effect : step.effects()) {
            if (effect instanceof DriverEffect.Write write) {
                logs.write(write.command(), group, first, now.millis() / 10);
                first = false;
                told.accept(write.command());
            } else if (effect instanceof DriverEffect.Settle settle) {
                logs.kept.put(settle.placement().layer(), settle.placement());
            } else if (effect instanceof DriverEffect.Answer answer) {
                logs.control.add(answer.answer());
            } else if (effect instanceof DriverEffect.Plan plan) {
                making = Optional.of(new Making(plan.order(), now.boundaries() + random.nextInt(4)));
            } else if (effect instanceof DriverEffect.Drop) {
                making = Optional.empty();
            } else if (effect instanceof DriverEffect.Alarm alarm && alarm.quarantined()) {
                throw new AssertionError("quarantined: " + alarm.text());
            }
        }
        if (step.effects().stream().anyMatch(DriverEffect.Settle.class::isInstance)) {
            logs.checkKept(group.members);
        }
    }

    private Verdict verdict(PlanOrder order) {
        if (random.nextInt(8) == 0) {
            return Verdict.Keep.because(KeepReason.ERROR, "test");
        }
        Placement base = settled();
        List<Batch> batches = new ArrayList<>();
        for (int layer = random.nextInt(2); layer < base.layers(); layer++) {
            batches.add(swap(batches.size() + 1, base, layer));
        }
        return new Verdict.Change(
                new Candidate(
                        base.withBatches(base.version(), batches), batches, List.of(), List.of(), PlanReasons.NONE),
                new Verdict.Numbers(0.5, 0.9, 1, 1, 1, 0, batches.size() * 2, Optional.empty()),
                "it pays");
    }

    /** Two experts of different ranks change places. */
    private static Batch swap(int number, Placement base, int layer) {
        int[] held = base.layer(layer);
        return new Batch(number, List.of(move(layer, 1, held[3], 3), move(layer, 3, held[1], 1)));
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }
}
