package dev.plimsoll.planner;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.TransferLists;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Output;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One deployment at the planner: carries out what its {@link DecisionDriver} wants, from the windows of its {@link WindowBook}, and
 * lets its {@link Promises} measure what comes of it.
 */
final class DeploymentPlanner {
    private static final Logger LOG = LoggerFactory.getLogger(DeploymentPlanner.class);

    /** Longer than plans are given even where windows are short; a plan that takes more of them is not worth waiting for. */
    private static final int MOST_WAITING = WindowJoin.MOST_OPEN;

    private final PlannerSettings settings;
    private final ParallelPlanning planning;
    private final AskedPlans plans;
    private final DecisionDriver driver;
    private final ToldLater told;
    private final List<Output<?>> outputs = new ArrayList<>();
    private final Promises promises;
    /** That came while a plan was being made. */
    private final Deque<WindowJoin.Whole> waiting = new ArrayDeque<>();

    private DriverState state;
    private WindowBook book;
    private Conservation.Answer newestAnswer = Conservation.Answer.UNKNOWN;

    /** @param outcomes of the deployment's decisions so far */
    DeploymentPlanner(
            PlannerSettings settings,
            ParallelPlanning planning,
            PlanDesk desk,
            DecisionDriver driver,
            ToldLater told,
            PlanLog log,
            Setbacks setbacks,
            ControlState control,
            List<SettledPlacement> kept,
            OutcomeHistory outcomes,
            Membership members,
            long nowMillis) {
        this.settings = settings;
        this.planning = planning;
        this.plans = new AskedPlans(desk, planning);
        this.driver = driver;
        this.told = told;
        this.promises = new Promises(settings, outcomes);
        BoundaryWatch watch = new BoundaryWatch(nowMillis);
        DriverStep start =
                driver.takeOver(log, setbacks, control, kept, members, watch.at(nowMillis, members.boundarySteps()));
        this.state = start.state();
        this.book = new WindowBook(settings, members, new KnownPlacements(log, members, settled()), watch);
        if (stage() instanceof Stage.Quarantined quarantined) {
            // What ranks have served is what the log says, not what was kept of it.
            quarantined.logged().ifPresent(book.known()::settle);
        }
        carryOut(start.effects());
        promises.takeOver(log, members, book, settled());
        tellDormant();
    }

    Deployment deployment() {
        return members().deployment();
    }

    Membership members() {
        return state.protocol().members();
    }

    Stage stage() {
        return state.protocol().stage();
    }

    Standing standing() {
        return Standing.of(state);
    }

    private Placement settled() {
        return state.protocol().settled();
    }

    /** An ack, a new membership or passing time. */
    void happened(Event event, long nowMillis) {
        long incarnation = members().incarnation();
        if (event instanceof Event.Began began && began.members().incarnation() > incarnation) {
            promises.end().ifPresent(this::tell);
        }
        if (event instanceof Event.Acked acked) {
            flipped(acked.ack());
        }
        apply(new DriverEvent.Happened(event), nowMillis);
        if (members().incarnation() != incarnation) {
            waiting.clear();
            book = new WindowBook(
                    settings,
                    members(),
                    new KnownPlacements(new PlanLog(), members(), settled()),
                    new BoundaryWatch(nowMillis));
            tellDormant();
        }
    }

    private void tellDormant() {
        for (String dormant : state.control().dormant(members())) {
            told.later(() -> LOG.warn(
                    "{}: incarnation {} lacks what it speaks of, so it is dormant: {}",
                    deployment(),
                    members().incarnation(),
                    dormant));
        }
    }

    /** The next record of the control log. */
    void control(ControlRecord record, long nowMillis) {
        apply(new DriverEvent.Controlled(record), nowMillis);
    }

    /**
     * Answers the commands that wait for it, in their order.
     *
     * @param lookBack whether windows of before are all read; what looks at them waits for that, and what comes after it too
     */
    void answer(boolean lookBack, long nowMillis) {
        while (!state.control().unanswered().isEmpty()) {
            Control asked = state.control().unanswered().get(0);
            ControlAction action = asked.action();
            boolean looks = action instanceof ControlAction.Void || action instanceof ControlAction.Rollback;
            if (looks && !lookBack) {
                return;
            }
            Optional<Verdict> wayBack = action instanceof ControlAction.Rollback rollback
                    ? Optional.of(book.wayBack(
                            rollback.version(), settled(), state.control().constraints(members())))
                    : Optional.empty();
            apply(new DriverEvent.Answering(book.sight(stage().inFlight()), wayBack), nowMillis).stream()
                    .filter(DriverEffect.Answer.class::isInstance)
                    .forEach(effect -> told.answered(asked, ((DriverEffect.Answer) effect).answer()));
            takeWaiting(nowMillis);
        }
        takeWaiting(nowMillis);
    }

    private List<DriverEffect> apply(DriverEvent event, long nowMillis) {
        DriverStep step = driver.apply(state, event, book.moment(nowMillis));
        Placement before = settled();
        state = step.state();
        for (DriverEffect effect : step.effects()) {
            if (effect instanceof DriverEffect.Write write && write.command() instanceof Propose propose) {
                warnOfDetours(propose, before);
            }
        }
        carryOut(step.effects());
        return step.effects();
    }

    void wereAt(WindowSummary summary) {
        book.wereAt(summary);
    }

    void areAt(WindowSummary summary, long nowMillis) {
        book.areAt(summary, nowMillis);
    }

    void isAt(RankAck ack, long nowMillis) {
        book.isAt(ack, nowMillis);
    }

    void flipped(RankAck ack) {
        book.flipped(ack);
    }

    private void carryOut(List<DriverEffect> effects) {
        for (DriverEffect effect : effects) {
            if (effect instanceof DriverEffect.Write write) {
                outputs.add(Output.of(Topic.PLAN, deployment(), write.command()));
                written(write.command(), write.decision());
            } else if (effect instanceof DriverEffect.Settle settle) {
                outputs.add(Output.of(Topic.PLACEMENTS, deployment(), settle.placement()));
            } else if (effect instanceof DriverEffect.Answer answer) {
                outputs.add(Output.of(Topic.CONTROL, deployment(), answer.answer()));
                told.later(
                        () -> LOG.info("{}: {}", deployment(), answer.answer().summary()));
            } else if (effect instanceof DriverEffect.Alarm alarm) {
                told.later(() -> LOG.warn("{}: {}", deployment(), alarm.text()));
                told.alarm(deployment(), alarm.quarantined(), alarm.text());
            } else if (effect instanceof DriverEffect.Ignored ignored) {
                told.ignored(deployment(), ignored.reason());
            } else if (effect instanceof DriverEffect.Refuse refuse) {
                tell(refuse);
            } else if (effect instanceof DriverEffect.Plan plan) {
                begin(plan.order());
            } else if (effect instanceof DriverEffect.Drop drop) {
                plans.cancel();
                told.planDropped(deployment(), drop.order().window(), drop.reason());
            }
        }
    }

    private void written(PlanCommand command, Optional<Propose> decision) {
        told.later(() -> LOG.info("{}: {}", deployment(), command.summary()));
        if (command instanceof Propose propose) {
            promises.end().ifPresent(this::tell);
            book.known().propose(propose);
            told.proposed(propose);
        } else if (command instanceof PlanCommand.Permit permit) {
            told.permitted(permit);
        } else if (command instanceof PlanCommand.Settled end) {
            book.known().settle(settled());
            promises.begin(decision, end, members(), book, settled());
            told.settled(end, promises.moves());
        } else if (command instanceof PlanCommand.Abort abort) {
            told.aborted(abort);
        } else if (command instanceof PlanCommand.Void end) {
            told.voided(end);
        }
    }

    private void tell(Outcome outcome) {
        outputs.add(Output.of(Topic.OUTCOMES, deployment(), outcome));
        told.outcome(outcome);
        if (outcome.last()) {
            String policy = planning.policy().name();
            Experience experience = promises.experience(policy);
            told.later(() -> LOG.info("{}: {}; {}: {}", deployment(), outcome.summary(), policy, experience.summary()));
            told.learned(deployment(), policy, experience);
        }
    }

    private void tell(DriverEffect.Refuse refuse) {
        Verdict.Keep keep = refuse.keep();
        int version = settled().version();
        told.later(() -> LOG.atLevel(keep.reason() == KeepReason.NOT_CONSERVED ? Level.WARN : Level.DEBUG)
                .log(
                        "{}: window {} keeps v{}: {} {}",
                        deployment(),
                        refuse.window(),
                        version,
                        keep.reason(),
                        keep.detail()));
        told.refused(deployment(), refuse.window(), keep);
    }

    /**
     * A window with all its parts, in the order of the log. While a plan is being made, windows wait for it: what is decided, measured and
     * learnt depends on their order, and not on how long a plan takes.
     */
    void window(WindowJoin.Whole whole, long nowMillis) {
        waiting.addLast(whole);
        state.ordered().ifPresent(order -> {
            if (plans.withdraw() || waiting.size() > MOST_WAITING) {
                apply(new DriverEvent.Superseded(order), nowMillis);
            }
        });
        takeWaiting(nowMillis);
    }

    private void takeWaiting(long nowMillis) {
        while (state.ordered().isEmpty() && !waiting.isEmpty()) {
            take(waiting.removeFirst(), nowMillis);
        }
    }

    private void take(WindowJoin.Whole whole, long nowMillis) {
        WindowSummary summary = whole.summary();
        book.saw(whole);
        Optional<Verdict.Keep> unfit = book.unfit(whole);
        if (unfit.isEmpty()) {
            WindowLoad window = book.add(whole);
            newestAnswer = summary.conservation().answer();
            if (book.ranUnder(window, settled()) && stage() instanceof Stage.Idle) {
                promises.window(summary, window.load()).ifPresent(this::tell);
            }
        }
        apply(new DriverEvent.Window(summary.index(), unfit), nowMillis);
        promises.worse()
                .ifPresent(before -> apply(new DriverEvent.Worse(settled().version(), before), nowMillis));
    }

    /** Decides on the newest window, once; what it takes a plan for comes with {@link #takeMade}. */
    void look(long nowMillis) {
        apply(new DriverEvent.Look(), nowMillis);
        takeMade(nowMillis);
    }

    private void begin(PlanOrder order) {
        Learned learned = book.learned(promises.experience(planning.policy().name()));
        PlanJob job = new PlanJob(
                settings,
                book.objective(),
                learned,
                members(),
                settled(),
                book.loads(),
                book.windowTime(),
                order.towards(),
                newestAnswer,
                state.control().constraints(members()));
        plans.ask(order, job, book.inputs(order.unjudged(), learned));
    }

    /** Goes on with the plans that have been made since. */
    void takeMade(long nowMillis) {
        for (Optional<AskedPlans.Result> next = plans.next(); next.isPresent(); next = plans.next()) {
            AskedPlans.Result result = next.orElseThrow();
            told.planned(deployment(), result.made().took());
            result.made().failure().ifPresent(this::failed);
            Verdict verdict = result.made().verdict();
            if (verdict instanceof Verdict.Keep keep && keep.reason() == KeepReason.TIMEOUT) {
                LOG.warn("{}: {}; the placement stays", deployment(), keep.detail());
            }
            apply(
                    new DriverEvent.Planned(result.order(), verdict, result.policy(), Optional.of(result.inputs())),
                    nowMillis);
            takeWaiting(nowMillis);
        }
    }

    /** A policy that fails must not take the ranks' protocol down with it. */
    private void failed(Throwable failure) {
        LOG.error("{}: policy {} failed", deployment(), planning.policy().name(), failure);
        if (failure instanceof Error error) {
            throw error;
        }
    }

    /** Nobody will ask for anything any more. */
    void lost() {
        plans.cancel();
    }

    /** Sound and slower than it need be: a fault of ours, and no reason to serve on out of balance. */
    private void warnOfDetours(Propose propose, Placement settled) {
        for (Batch batch : propose.batches()) {
            TransferLists.of(batch, members().topology())
                    .detours(settled, members().topology())
                    .forEach(detour -> LOG.warn("{}: decision {}: {}", deployment(), propose.epoch(), detour));
        }
    }

    /** Forgets windows older than that, so that a deployment that fell silent does not hold back the partition's offset. */
    void forgetBefore(long millis, long nowMillis) {
        if (book.isOlderThan(millis)) {
            book.forgetWindows();
            apply(new DriverEvent.Forgotten(), nowMillis);
        }
    }

    /** Offset of the oldest window record that a successor needs to see what we see. */
    OptionalLong oldestOffset() {
        return Stream.concat(
                        book.oldestOffset().stream().boxed(), waiting.stream().map(WindowJoin.Whole::firstOffset))
                .mapToLong(offset -> offset)
                .min();
    }

    /** What the newest settled decision has brought so far, before it is told; empty where that is known to its end, or nothing is. */
    Optional<Outcome> measuredSoFar() {
        return promises.soFar();
    }

    List<Output<?>> takeOutputs() {
        List<Output<?>> taken = List.copyOf(outputs);
        outputs.clear();
        return taken;
    }
}
