package dev.plimsoll.planner;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.TransferLists;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Repair;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.planner.protocol.Transition;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Output;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** One deployment at the planner: its complete windows, its decision in flight, and what is to be written about them. */
final class DeploymentPlanner {
    private static final Logger LOG = LoggerFactory.getLogger(DeploymentPlanner.class);

    private final PlannerSettings settings;
    private final ParallelPlanning planning;
    private final PlanMemo memo;
    private final DecisionProtocol protocol;
    private final PlannerListener listener;
    private final WindowHistory history;
    private final MeasuredTimes times = new MeasuredTimes();
    private final List<Output<?>> outputs = new ArrayList<>();

    private PlannerState state;
    private Objective objective;
    private KnownPlacements known;
    private final OutcomeHistory outcomes;
    private Optional<Measurement> measurement = Optional.empty();
    private Optional<WindowSummary> unplanned = Optional.empty();
    private final ArrayDeque<Long> unjudged = new ArrayDeque<>();
    private BoundaryWatch watch;
    private long heardWindow = -1;
    private long lastWindow = -1;
    private long planFrom;

    /** @param outcomes of the deployment's decisions so far */
    DeploymentPlanner(
            PlannerSettings settings,
            ParallelPlanning planning,
            DecisionProtocol protocol,
            PlannerListener listener,
            PlanLog log,
            List<SettledPlacement> kept,
            OutcomeHistory outcomes,
            Membership members,
            long nowMillis) {
        this.settings = settings;
        this.planning = planning;
        this.memo = new PlanMemo(planning.policy());
        this.protocol = protocol;
        this.listener = listener;
        this.history = new WindowHistory(settings.historyWindows());
        this.objective = settings.objectiveFor(members);
        this.outcomes = outcomes;
        this.watch = new BoundaryWatch(nowMillis);
        Transition start = protocol.takeOver(log, kept, members, watch.at(nowMillis, members.boundarySteps()));
        this.state = start.state();
        this.known = new KnownPlacements(log, members, state.settled());
        // Where the decision ended is not in the log in windows; it took at least one.
        this.planFrom = log.lastProposal(members.incarnation())
                .map(last -> last.windowIndex() + 2 + settings.cooldownWindows())
                .orElse(0L);
        carryOut(start.effects(), Optional.empty());
        log.lastSettled(members.incarnation()).ifPresent(end -> goOnMeasuring(log, end));
    }

    /** Goes on where a predecessor left off, with the windows that are read again, unless it was done: a later decision was made, or so. */
    private void goOnMeasuring(PlanLog log, PlanCommand.Settled end) {
        long incarnation = state.members().incarnation();
        boolean newest = log.lastProposal(incarnation)
                .filter(decision -> decision.epoch() == end.epoch())
                .isPresent();
        if (newest
                && outcomes.of(incarnation, end.epoch()).filter(Outcome::last).isEmpty()) {
            measure(log.proposal(end.epoch()), end.batchesFlipped());
        }
    }

    Deployment deployment() {
        return state.members().deployment();
    }

    Membership members() {
        return state.members();
    }

    Stage stage() {
        return state.stage();
    }

    Placement settled() {
        return state.settled();
    }

    /** An ack, a new membership or passing time. */
    void happened(Event event, long nowMillis) {
        long incarnation = state.members().incarnation();
        if (event instanceof Event.Began began && began.members().incarnation() > incarnation) {
            endMeasurement();
        }
        if (event instanceof Event.Acked acked) {
            flipped(acked.ack());
        }
        take(protocol.apply(state, event, moment(nowMillis)));
        if (state.members().incarnation() != incarnation) {
            known = new KnownPlacements(new PlanLog(), state.members(), state.settled());
            measurement = Optional.empty();
            objective = settings.objectiveFor(state.members());
            forgetWindows();
            times.clear();
            watch = new BoundaryWatch(nowMillis);
            heardWindow = -1;
            lastWindow = -1;
            planFrom = 0;
        }
    }

    private Moment moment(long nowMillis) {
        return watch.at(nowMillis, state.members().boundarySteps());
    }

    /** A window, whole or not, says how far ranks were before anybody watched. */
    void wereAt(WindowSummary summary) {
        if (summary.incarnation() == state.members().incarnation()) {
            heardWindow = summary.index();
            watch.from(summary.steps().to());
        }
    }

    /** A window, whole or not, says how far ranks are. */
    void areAt(WindowSummary summary, long nowMillis) {
        if (summary.incarnation() != state.members().incarnation()) {
            return;
        }
        if (summary.index() < heardWindow) {
            watch.from(summary.steps().to());
        }
        heardWindow = summary.index();
        watch.heard(summary.steps().to(), nowMillis);
    }

    /** So does a rank. */
    void isAt(RankAck ack, long nowMillis) {
        if (ack.incarnation() == state.members().incarnation()) {
            watch.heard(ack.step(), nowMillis);
        }
    }

    /** What an ack tells of flips, whether or not its decision is in flight still. */
    void flipped(RankAck ack) {
        if (ack.incarnation() == state.members().incarnation()) {
            times.ack(ack);
        }
    }

    private void take(Transition transition) {
        Optional<Propose> decision = state.stage().inFlight();
        state = transition.state();
        carryOut(transition.effects(), decision);
    }

    private void carryOut(List<Effect> effects, Optional<Propose> decision) {
        for (Effect effect : effects) {
            if (effect instanceof Effect.Write write) {
                outputs.add(Output.of(Topic.PLAN, deployment(), dated(write.command())));
                tell(write.command(), decision);
            } else if (effect instanceof Effect.Settle settle) {
                outputs.add(Output.of(Topic.PLACEMENTS, deployment(), settle.placement()));
            } else if (effect instanceof Effect.Alarm alarm) {
                LOG.warn("{}: {}", deployment(), alarm.text());
                listener.alarm(deployment(), state.stage() instanceof Stage.Quarantined, alarm.text());
            } else if (effect instanceof Effect.Ignored ignored) {
                listener.ignored(deployment(), ignored.reason());
            }
        }
    }

    /** The end of a decision with the window that its cooldown counts from, which the protocol knows nothing of. */
    private PlanCommand dated(PlanCommand command) {
        OptionalLong seen = lastWindow < 0 ? OptionalLong.empty() : OptionalLong.of(lastWindow);
        if (command instanceof PlanCommand.Settled end) {
            return new PlanCommand.Settled(
                    end.header(), end.epoch(), end.batchesFlipped(), end.complete(), end.placementHash(), seen);
        }
        return command instanceof PlanCommand.Void end
                ? new PlanCommand.Void(end.header(), end.epoch(), end.reason(), seen)
                : command;
    }

    private void tell(PlanCommand command, Optional<Propose> decision) {
        LOG.info("{}: {}", deployment(), command.summary());
        if (command instanceof Propose propose) {
            endMeasurement();
            known.propose(propose);
            unjudged.clear();
            listener.proposed(propose);
        } else if (command instanceof PlanCommand.Permit permit) {
            listener.permitted(permit);
        } else if (command instanceof PlanCommand.Settled end) {
            known.settle(state.settled());
            measure(decision, end.batchesFlipped());
            ended();
            listener.settled(end, measurement.map(Measurement::moves).orElse(0));
        } else if (command instanceof PlanCommand.Abort abort) {
            listener.aborted(abort);
        } else if (command instanceof PlanCommand.Void end) {
            ended();
            listener.voided(end);
        }
    }

    /** From now on windows tell what the decision brings. */
    private void measure(Optional<Propose> decision, int batches) {
        measurement = decision.map(made -> new Measurement(
                state.members(),
                objective,
                made,
                made.batches().stream()
                        .limit(batches)
                        .mapToInt(batch -> batch.moves().size())
                        .sum(),
                Repair.asServed(state.settled(), state.members()),
                known.of(PlacementState.settled(made.basedOn())),
                settings.historyWindows(),
                outcomes.of(state.members().incarnation(), made.epoch()).isPresent()));
    }

    private void endMeasurement() {
        measurement.flatMap(Measurement::end).ifPresent(this::tell);
        measurement = Optional.empty();
    }

    private void tell(Outcome outcome) {
        outcomes.add(outcome);
        outputs.add(Output.of(Topic.OUTCOMES, deployment(), outcome));
        listener.outcome(outcome);
    }

    private void ended() {
        // The window under way belongs to the decision; the cooldown counts those after it.
        planFrom = lastWindow + 1 + settings.cooldownWindows();
    }

    /** A window with all its parts, in the order of the log: behind a jump its index may be lower than the last one's. */
    void window(WindowJoin.Whole whole) {
        WindowSummary summary = whole.summary();
        lastWindow = summary.index();
        unplanned.ifPresent(this::leaveUnjudged);
        unplanned = Optional.empty();
        if (summary.conservation().violated()) {
            refuse(
                    summary,
                    Verdict.Keep.because(
                            KeepReason.NOT_CONSERVED, summary.conservation().toString()));
            return;
        }
        if (!summary.complete()) {
            refuse(
                    summary,
                    Verdict.Keep.because(KeepReason.INCOMPLETE, summary.reason().name()));
            return;
        }
        Optional<PlacementState> unknown = WindowLoad.unknown(whole, known);
        if (unknown.isPresent()) {
            refuse(
                    summary,
                    Verdict.Keep.because(
                            KeepReason.UNKNOWN_STATE, unknown.orElseThrow().toString()));
            return;
        }
        WindowLoad window = WindowLoad.of(whole, known, state.members());
        history.add(window.load(), whole.firstOffset(), summary.closedAtMillis());
        times.window(state.members(), objective, summary, window);
        boolean underSettled = !window.served().isEmpty()
                && window.served().stream()
                        .allMatch(served -> served.servesLike(Repair.asServed(state.settled(), state.members())));
        if (underSettled && state.stage() instanceof Stage.Idle) {
            measurement
                    .flatMap(measuring -> measuring.window(summary, window.load()))
                    .ifPresent(this::tell);
        }
        unplanned = Optional.of(summary);
    }

    /** Notes a window that might have been decided on, and was not looked at, or not to the end. */
    private void leaveUnjudged(WindowSummary window) {
        if (mayNotPlan(window).isEmpty()) {
            unjudged.addLast(window.index());
            if (unjudged.size() > PlanInputs.MOST_UNJUDGED) {
                unjudged.removeFirst();
            }
        }
    }

    /**
     * Decides on the newest window, once.
     *
     * @param clock asked when the plan is made, which may be seconds after this is called
     * @param deadlineNanos of {@link System#nanoTime}, until which a plan is waited for
     */
    void plan(InstantSource clock, long deadlineNanos) {
        if (unplanned.isEmpty()) {
            return;
        }
        WindowSummary newest = unplanned.orElseThrow();
        unplanned = Optional.empty();
        Learned learned = times.learned(
                settings.gate(), objective, settings.experience() ? outcomes.experience() : Experience.NONE);
        Verdict verdict = mayNotPlan(newest).<Verdict>map(keep -> keep).orElseGet(() -> judge(learned, deadlineNanos));
        if (verdict instanceof Verdict.Change change) {
            verdict = propose(change, learned, newest, clock.millis());
        }
        if (verdict instanceof Verdict.Keep keep) {
            if (keep.reason() == KeepReason.TIMEOUT || keep.reason() == KeepReason.ERROR) {
                leaveUnjudged(newest);
            }
            refuse(newest, keep);
        }
    }

    private Optional<Verdict.Keep> mayNotPlan(WindowSummary newest) {
        if (state.stage() instanceof Stage.Quarantined quarantined) {
            return Optional.of(Verdict.Keep.because(KeepReason.QUARANTINED, quarantined.reason()));
        }
        if (!(state.stage() instanceof Stage.Idle)) {
            return Optional.of(Verdict.Keep.because(
                    KeepReason.IN_FLIGHT,
                    "decision " + state.stage().inFlight().orElseThrow().epoch()));
        }
        if (state.members().gather() == GatherMode.NONE) {
            return Optional.of(Verdict.Keep.because(KeepReason.OBSERVE_ONLY, "gather mode none"));
        }
        // A window from farther back than a cooldown reaches stands behind a jump back, and so behind the decision.
        long left = planFrom - newest.index();
        if (left > 0 && left <= 2L + settings.cooldownWindows()) {
            return Optional.of(
                    Verdict.Keep.because(KeepReason.COOLDOWN, "window " + newest.index() + " is before " + planFrom));
        }
        return Optional.empty();
    }

    private Verdict judge(Learned learned, long deadlineNanos) {
        long start = System.nanoTime();
        try {
            return WindowPlan.judge(
                    settings,
                    request -> memo.plan(request, made -> planning.plan(made, deadlineNanos)),
                    objective,
                    learned,
                    state.members(),
                    state.settled(),
                    history.loads(),
                    history.windowTime());
        } catch (ParallelPlanning.TimedOut e) {
            LOG.warn("{}: {}; the placement stays", deployment(), e.getMessage());
            return Verdict.Keep.because(KeepReason.TIMEOUT, e.getMessage());
        } catch (RuntimeException e) {
            // A policy that fails must not take the ranks' protocol down with it.
            LOG.error(
                    "{}: policy {} failed; the placement stays",
                    deployment(),
                    planning.policy().name(),
                    e);
            return Verdict.Keep.because(KeepReason.ERROR, e.toString());
        } finally {
            listener.planned(deployment(), Duration.ofNanos(System.nanoTime() - start));
        }
    }

    /** Proposes, unless the rules that the ranks will apply say no. */
    private Verdict propose(Verdict.Change change, Learned learned, WindowSummary newest, long nowMillis) {
        Transition transition = protocol.apply(
                state,
                new Event.Offer(
                        state.settled().version(),
                        change.candidate().batches(),
                        newest.index(),
                        change.numbers().currentBalancedness(),
                        change.numbers().predictedBalancedness(),
                        planning.policy().name(),
                        change.reason() + unlessCompared(newest),
                        change.candidate().reasons(),
                        Optional.of(history.inputs(List.copyOf(unjudged), learned)),
                        change.numbers().time().map(Verdict.Times::promise)),
                moment(nowMillis));
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write && write.command() instanceof Propose propose) {
                List<String> violations = PlacementRules.violations(
                        propose, state.settled(), change.candidate().target(), state.members());
                if (!violations.isEmpty()) {
                    return new Verdict.Keep(KeepReason.INVALID, violations.get(0), change.numbers());
                }
                warnOfDetours(propose);
            }
        }
        take(transition);
        return change;
    }

    /** It is planned on, for many engines do not say what they route; whoever reads the decision shall know. */
    private static String unlessCompared(WindowSummary window) {
        return window.conservation().answer() == Conservation.Answer.UNKNOWN
                ? "; tokens computed were not compared with tokens routed"
                : "";
    }

    /** Sound and slower than it need be: a fault of ours, and no reason to serve on out of balance. */
    private void warnOfDetours(Propose propose) {
        for (Batch batch : propose.batches()) {
            TransferLists.of(batch, state.members().topology())
                    .detours(state.settled(), state.members().topology())
                    .forEach(detour -> LOG.warn("{}: decision {}: {}", deployment(), propose.epoch(), detour));
        }
    }

    private void refuse(WindowSummary window, Verdict.Keep keep) {
        LOG.atLevel(keep.reason() == KeepReason.NOT_CONSERVED ? Level.WARN : Level.DEBUG)
                .log(
                        "{}: window {} keeps v{}: {} {}",
                        deployment(),
                        window.index(),
                        settled().version(),
                        keep.reason(),
                        keep.detail());
        listener.refused(deployment(), window.index(), keep);
    }

    /** Forgets windows older than that, so that a deployment that fell silent does not hold back the partition's offset. */
    void forgetBefore(long millis) {
        OptionalLong newest = history.newestAtMillis();
        if (newest.isPresent() && newest.getAsLong() < millis) {
            forgetWindows();
        }
    }

    private void forgetWindows() {
        history.clear();
        unjudged.clear();
        unplanned = Optional.empty();
    }

    /** Offset of the oldest window record that a successor needs to see what we see. */
    OptionalLong oldestOffset() {
        return history.oldestOffset();
    }

    /** What the newest settled decision has brought so far, before it is told; empty where that is known to its end, or nothing is. */
    Optional<Outcome> measuredSoFar() {
        return measurement.flatMap(Measurement::soFar);
    }

    List<Output<?>> takeOutputs() {
        List<Output<?>> taken = List.copyOf(outputs);
        outputs.clear();
        return taken;
    }
}
