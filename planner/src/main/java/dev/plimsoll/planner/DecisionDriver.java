package dev.plimsoll.planner;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.control.Ruling;
import dev.plimsoll.planner.control.Rulings;
import dev.plimsoll.planner.control.Situation;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.planner.protocol.Transition;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * When a deployment's next decision may be made, and what becomes of plans: the {@link DecisionProtocol} with all that stands between
 * a window and a proposal. Pure and stateless: it knows no Kafka, no clock, no thread and no policy, so that simulations drive what
 * the service drives.
 *
 * <p>At most one plan is being made at a time. Whatever changes what it was ordered for drops it.
 */
public final class DecisionDriver {
    private final DecisionProtocol protocol;
    private final int cooldownWindows;
    private final Origin origin;

    /** @param cooldownWindows complete windows that must pass after a decision has ended before the next is made */
    public DecisionDriver(DecisionProtocol protocol, int cooldownWindows) {
        this(protocol, cooldownWindows, false);
    }

    /**
     * The same.
     *
     * @param needsApproval whether a person has to approve of what it decides by itself
     */
    public DecisionDriver(DecisionProtocol protocol, int cooldownWindows, boolean needsApproval) {
        this.protocol = protocol;
        this.cooldownWindows = cooldownWindows;
        this.origin = new Origin(needsApproval, Optional.empty());
    }

    /**
     * The first step of a reign.
     *
     * @param setbacks of the same log
     * @param kept the deployment's settled placement records, last one per layer; empty before the first incarnation
     * @see DecisionProtocol#takeOver
     */
    public DriverStep takeOver(
            PlanLog log, Setbacks setbacks, List<SettledPlacement> kept, Membership members, Moment now) {
        return takeOver(log, setbacks, ControlState.NONE, kept, members, now);
    }

    /**
     * The same where people may have spoken before.
     *
     * @param control of the control log, all of it
     */
    public DriverStep takeOver(
            PlanLog log,
            Setbacks setbacks,
            ControlState control,
            List<SettledPlacement> kept,
            Membership members,
            Moment now) {
        Transition start = protocol.takeOver(log, kept, members, control.approved()::containsKey, now);
        DriverTurn turn = new DriverTurn(start.state(), setbacks, control);
        // Where the decision ended is not in the log in windows; it took at least one.
        turn.planFrom(log.lastProposal(members.incarnation())
                .map(last -> last.windowIndex() + 2 + cooldownWindows)
                .orElse(0L));
        carryOut(turn, start.effects(), Optional.empty());
        return turn.done();
    }

    /** What follows from an event. */
    public DriverStep apply(DriverState state, DriverEvent event, Moment now) {
        DriverTurn turn = new DriverTurn(state);
        if (event instanceof DriverEvent.Happened happened) {
            happened(turn, happened.event(), now);
        } else if (event instanceof DriverEvent.Window window) {
            window(turn, window);
        } else if (event instanceof DriverEvent.Look) {
            look(turn);
        } else if (event instanceof DriverEvent.Planned planned) {
            planned(turn, planned, now);
        } else if (event instanceof DriverEvent.Controlled controlled) {
            turn.control(turn.control().plus(controlled.record()));
        } else if (event instanceof DriverEvent.Answering answering) {
            turn.control().unanswered().stream()
                    .findFirst()
                    .ifPresent(control -> answer(turn, control, answering, now));
        } else if (event instanceof DriverEvent.Superseded superseded) {
            superseded(turn, superseded.order());
        } else if (event instanceof DriverEvent.Worse worse) {
            worse(turn, worse);
        } else {
            turn.drop(PlanDrop.STALE);
            turn.forgetWindows();
        }
        return turn.done();
    }

    private void happened(DriverTurn turn, Event event, Moment now) {
        long incarnation = turn.members().incarnation();
        take(turn, protocol.apply(turn.protocol(), event, now));
        if (turn.members().incarnation() != incarnation) {
            turn.drop(PlanDrop.STALE);
            turn.beginIncarnation();
        }
    }

    private void window(DriverTurn turn, DriverEvent.Window window) {
        turn.newest().ifPresent(index -> leaveUnjudged(turn, index));
        turn.window(window.index(), window.unfit().isEmpty());
        window.unfit().ifPresent(keep -> turn.add(new DriverEffect.Refuse(window.index(), keep)));
    }

    /** Notes a window that might have been decided on, and was not looked at, or not to the end. */
    private void leaveUnjudged(DriverTurn turn, long window) {
        if (mayNotPlan(turn, window).isEmpty()) {
            turn.unjudged(window);
        }
    }

    private void look(DriverTurn turn) {
        if (turn.newest().isEmpty() || turn.ordered().isPresent()) {
            return;
        }
        long window = turn.newest().getAsLong();
        turn.lookedAt();
        Optional<Verdict.Keep> keep = mayNotPlan(turn, window);
        if (keep.isPresent()) {
            turn.add(new DriverEffect.Refuse(window, keep.orElseThrow()));
        } else {
            turn.order(window);
        }
    }

    private Optional<Verdict.Keep> mayNotPlan(DriverTurn turn, long window) {
        Stage stage = turn.protocol().stage();
        if (stage instanceof Stage.Quarantined quarantined) {
            return Optional.of(Verdict.Keep.because(KeepReason.QUARANTINED, quarantined.reason()));
        }
        if (!(stage instanceof Stage.Idle)) {
            return Optional.of(Verdict.Keep.because(
                    KeepReason.IN_FLIGHT,
                    "decision " + stage.inFlight().orElseThrow().epoch()));
        }
        if (turn.members().gather() == GatherMode.NONE) {
            return Optional.of(Verdict.Keep.because(KeepReason.OBSERVE_ONLY, "gather mode none"));
        }
        if (turn.setbacks().observeOnly().isPresent()) {
            return turn.setbacks()
                    .observeOnly()
                    .map(refusal ->
                            Verdict.Keep.because(KeepReason.OBSERVE_ONLY, refusal + "; until the next incarnation"));
        }
        if (turn.control().paused().isPresent()) {
            return turn.control().paused().map(said -> Verdict.Keep.because(KeepReason.PAUSED, said.toString()));
        }
        // A window from farther back than a cooldown reaches stands behind a jump back, and so behind the decision.
        long left = turn.planFrom() - window;
        if (left > 0 && left <= 2L + cooldownWindows) {
            return Optional.of(
                    Verdict.Keep.because(KeepReason.COOLDOWN, "window " + window + " is before " + turn.planFrom()));
        }
        return turn.setbacks()
                .pause()
                .filter(pause -> pause.covers(window))
                .map(pause -> Verdict.Keep.because(KeepReason.BACK_OFF, pause.summary()));
    }

    private void planned(DriverTurn turn, DriverEvent.Planned planned, Moment now) {
        PlanOrder order = planned.order();
        if (turn.ordered().filter(order::equals).isEmpty()) {
            // It was dropped, and was under way already when it was.
            return;
        }
        turn.planMade();
        Verdict verdict = planned.verdict();
        if (verdict instanceof Verdict.Change change) {
            verdict = propose(turn, change, planned, now);
        }
        if (verdict instanceof Verdict.Keep keep) {
            // Where a placement was wanted, no policy was asked.
            if (keep.reason() == KeepReason.TIMEOUT
                    || keep.reason() == KeepReason.ERROR
                    || order.towards().isPresent()) {
                leaveUnjudged(turn, order.window());
            }
            turn.add(new DriverEffect.Refuse(order.window(), keep));
        }
    }

    /** Proposes, unless the rules that the ranks will apply say no. */
    private Verdict propose(DriverTurn turn, Verdict.Change change, DriverEvent.Planned planned, Moment now) {
        Transition transition = protocol.apply(
                turn.protocol(),
                new Event.Offer(
                        planned.order().version(),
                        change.candidate().batches(),
                        planned.order().window(),
                        change.numbers().currentBalancedness(),
                        change.numbers().predictedBalancedness(),
                        planned.policy(),
                        change.reason(),
                        change.candidate().reasons(),
                        planned.inputs(),
                        change.numbers().time().map(Verdict.Times::promise),
                        origin),
                now);
        Optional<String> forbidden = forbidden(turn, transition, change);
        if (forbidden.isPresent()) {
            return new Verdict.Keep(KeepReason.INVALID, forbidden.orElseThrow(), change.numbers());
        }
        take(turn, transition);
        return change;
    }

    /** What the rules that the ranks will apply say against a proposal. */
    private static Optional<String> forbidden(DriverTurn turn, Transition transition, Verdict.Change change) {
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write && write.command() instanceof Propose propose) {
                return PlacementRules.violations(
                                propose,
                                turn.protocol().settled(),
                                change.candidate().target(),
                                turn.members())
                        .stream()
                        .findFirst();
            }
        }
        return Optional.empty();
    }

    /** Answers a command, and does what it comes to: both are of one step, so that neither is without the other. */
    private void answer(DriverTurn turn, Control control, DriverEvent.Answering answering, Moment now) {
        boolean observes = turn.members().gather() == GatherMode.NONE
                || turn.setbacks().observeOnly().isPresent();
        Ruling ruling = Rulings.of(
                control,
                turn.control(),
                new Situation(
                        turn.protocol(),
                        answering.sight(),
                        observes,
                        turn.lastWindow().orElse(0),
                        answering.wayBack()));
        OptionalInt epoch = ruling.epoch();
        if (ruling.event().isPresent()) {
            Transition transition =
                    protocol.apply(turn.protocol(), ruling.event().orElseThrow(), now);
            Optional<String> forbidden = answering
                    .wayBack()
                    .filter(Verdict.Change.class::isInstance)
                    .flatMap(way -> forbidden(turn, transition, (Verdict.Change) way));
            if (forbidden.isPresent()) {
                ruling = Ruling.refused(forbidden.orElseThrow());
            } else {
                take(turn, transition);
                epoch = epoch.isPresent()
                        ? epoch
                        : turn.protocol().stage().inFlight().stream()
                                .mapToInt(Propose::epoch)
                                .findFirst();
            }
        }
        ControlAnswer answer = new ControlAnswer(
                control.deployment(),
                turn.members().incarnation(),
                control.id(),
                ruling.verdict(),
                ruling.text(),
                epoch,
                turn.protocol().settled().version());
        turn.control(turn.control().plus(answer));
        turn.add(new DriverEffect.Answer(answer));
        if (ruling.verdict() == ControlAnswer.Verdict.DONE) {
            // What is being planned was ordered before that.
            turn.drop(PlanDrop.STALE);
        }
    }

    private void superseded(DriverTurn turn, PlanOrder order) {
        if (turn.ordered().filter(order::equals).isPresent()) {
            turn.drop(PlanDrop.SUPERSEDED);
            leaveUnjudged(turn, order.window());
        }
    }

    /** Going back is a decision like any other, of which ranks hear at the next window that may be decided on. */
    private void worse(DriverTurn turn, DriverEvent.Worse worse) {
        if (turn.protocol().stage() instanceof Stage.Idle
                && turn.protocol().settled().version() == worse.version()) {
            turn.foundWorse(worse.version(), worse.before());
        }
    }

    private void take(DriverTurn turn, Transition transition) {
        Optional<Propose> decision = turn.protocol().stage().inFlight();
        int version = turn.protocol().settled().version();
        turn.protocol(transition.state());
        if (!(transition.state().stage() instanceof Stage.Idle)
                || transition.state().settled().version() != version) {
            turn.drop(PlanDrop.STALE);
            turn.noneTowards();
        }
        carryOut(turn, transition.effects(), decision);
    }

    private void carryOut(DriverTurn turn, List<Effect> effects, Optional<Propose> decision) {
        for (Effect effect : effects) {
            if (effect instanceof Effect.Write write) {
                PlanCommand command = turn.dated(write.command());
                turn.add(new DriverEffect.Write(command, decision));
                written(turn, command);
            } else if (effect instanceof Effect.Settle settle) {
                turn.add(new DriverEffect.Settle(settle.placement()));
            } else if (effect instanceof Effect.Alarm alarm) {
                turn.add(new DriverEffect.Alarm(alarm.text(), turn.protocol().stage() instanceof Stage.Quarantined));
            } else if (effect instanceof Effect.Ignored ignored) {
                turn.add(new DriverEffect.Ignored(ignored.reason()));
            }
        }
    }

    private void written(DriverTurn turn, PlanCommand command) {
        if (command instanceof Propose) {
            turn.noneUnjudged();
        } else if (command instanceof PlanCommand.Settled || command instanceof PlanCommand.Void) {
            // The window under way belongs to the decision; the cooldown counts those after it.
            turn.planFrom(turn.lastWindow().orElse(-1) + 1 + cooldownWindows);
        }
        boolean couldVote = turn.setbacks().observeOnly().isEmpty();
        turn.setbacks(turn.setbacks().after(command));
        turn.setbacks()
                .observeOnly()
                .filter(refusal -> couldVote)
                .ifPresent(refusal -> turn.add(new DriverEffect.Alarm(
                        "ranks cannot vote any more: " + refusal
                                + "; nothing is decided until they start again, as another incarnation",
                        false)));
    }
}
