package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.DriverEffect;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.DriverStep;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlannerState;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** Planners that hear operators wrongly. */
final class WrongSteering {
    private WrongSteering() {}

    /** It knows that it is paused, and does not ask. */
    static Steering decidingWhileItIsPaused() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                if (!(event instanceof DriverEvent.Look)) {
                    return super.apply(driver, state, event, now);
                }
                DriverStep step = super.apply(driver, with(state, unpaused(state.control())), event, now);
                return new DriverStep(with(step.state(), state.control()), step.effects());
            }
        };
    }

    /** A plan that was ordered before it was paused is proposed all the same. */
    static Steering keepingWhatIsBeingPlanned() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(driver, state, event, now);
                if (!(event instanceof DriverEvent.Answering)) {
                    return step;
                }
                DriverState after = step.state();
                return new DriverStep(
                        new DriverState(
                                after.protocol(),
                                after.lastWindow(),
                                after.planFrom(),
                                after.newest(),
                                after.unjudged(),
                                state.ordered(),
                                after.setbacks(),
                                after.towards(),
                                after.foundWorse(),
                                after.control()),
                        step.effects().stream()
                                .filter(effect -> !(effect instanceof DriverEffect.Drop))
                                .toList());
            }
        };
    }

    /** What was said before it is nothing to a successor. */
    static Steering forgettingAtTakeOver() {
        return takingOverWith(records -> List.of(), UnaryOperator.identity());
    }

    /** It does what was asked for before it, answered or not. */
    static Steering answeringAnewAtTakeOver() {
        return takingOverWith(
                records -> records.stream().filter(Control.class::isInstance).toList(), UnaryOperator.identity());
    }

    /** Whoever takes over asks ranks anew that cannot vote. */
    static Steering forgettingSetbacksAtTakeOver() {
        return takingOverWith(records -> records, setbacks -> Setbacks.NONE);
    }

    private static Steering takingOverWith(
            UnaryOperator<List<ControlRecord>> reading, UnaryOperator<Setbacks> remembering) {
        return new Steering() {
            @Override
            DriverStep takeOver(
                    DecisionDriver driver,
                    PlanLog log,
                    Setbacks setbacks,
                    List<ControlRecord> control,
                    List<SettledPlacement> kept,
                    Membership members,
                    Moment now) {
                return super.takeOver(
                        driver, log, remembering.apply(setbacks), reading.apply(control), kept, members, now);
            }
        };
    }

    /** Does what is asked for, and says so in the transaction after it. */
    static Steering answeringAfterwards() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(driver, state, event, now);
                boolean does = event instanceof DriverEvent.Answering
                        && step.effects().stream().anyMatch(DriverEffect.Write.class::isInstance);
                return does
                        ? new DriverStep(
                                with(step.state(), state.control()),
                                step.effects().stream()
                                        .filter(effect -> !(effect instanceof DriverEffect.Answer))
                                        .toList())
                        : step;
            }
        };
    }

    /** Says that it is done, and does it in the transaction after that. */
    static Steering answeringBefore() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(driver, state, event, now);
                return event instanceof DriverEvent.Answering
                        ? new DriverStep(
                                with(state, step.state().control()),
                                step.effects().stream()
                                        .filter(DriverEffect.Answer.class::isInstance)
                                        .toList())
                        : step;
            }
        };
    }

    static Steering heedingNoVersion() {
        return hearing((state, control) -> new Control(
                control.deployment(),
                control.id(),
                control.atMillis(),
                control.by(),
                control.reason(),
                OptionalInt.empty(),
                control.action()));
    }

    /** Whatever is in flight is what was meant. */
    static Steering approvingWhateverIsInFlight() {
        return hearing((state, control) -> {
            OptionalInt epoch = state.protocol().stage().inFlight().stream()
                    .mapToInt(Propose::epoch)
                    .findFirst();
            return control.action() instanceof ControlAction.Approve && epoch.isPresent()
                    ? new Control(
                            control.deployment(),
                            control.id(),
                            control.atMillis(),
                            control.by(),
                            control.reason(),
                            control.basedOn(),
                            new ControlAction.Approve(epoch.getAsInt()))
                    : control;
        });
    }

    private interface Ear {
        Control hears(DriverState state, Control control);
    }

    private static Steering hearing(Ear ear) {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                return super.apply(
                        driver,
                        state,
                        event instanceof DriverEvent.Controlled controlled
                                        && controlled.record() instanceof Control control
                                ? new DriverEvent.Controlled(ear.hears(state, control))
                                : event,
                        now);
            }
        };
    }

    /** A record that stands in the log twice is two commands. */
    static Steering takingRepetitionsForMore() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                if (!(event instanceof DriverEvent.Controlled controlled)) {
                    return super.apply(driver, state, event, now);
                }
                ControlState control = state.control();
                Set<String> ids = new HashSet<>(control.ids());
                ids.remove(controlled.record().id());
                DriverState forgetful = with(
                        state,
                        new ControlState(
                                control.paused(),
                                control.pins(),
                                control.drained(),
                                control.approved(),
                                control.unanswered(),
                                ids));
                return super.apply(driver, forgetful, event, now);
            }
        };
    }

    static Steering goingBackPastWhatIsAsked() {
        return new Steering() {
            @Override
            Verdict wayBack(PlanRequest request, Placement version, Constraints constraints, Membership members) {
                return super.wayBack(request, version, Constraints.NONE, members);
            }
        };
    }

    /** It says that a drain is done, and keeps no note of it. */
    static Steering notingNoDrain() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(driver, state, event, now);
                ControlState control = step.state().control();
                return new DriverStep(
                        with(
                                step.state(),
                                new ControlState(
                                        control.paused(),
                                        control.pins(),
                                        new TreeMap<>(),
                                        control.approved(),
                                        control.unanswered(),
                                        control.ids())),
                        step.effects());
            }
        };
    }

    /** Whoever pauses it cannot resume it. */
    static Steering hearingNobodyWhileItIsPaused() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                return event instanceof DriverEvent.Answering
                                && state.control().paused().isPresent()
                        ? new DriverStep(state, List.of())
                        : super.apply(driver, state, event, now);
            }
        };
    }

    /** Answers that it will not, and does it. */
    static Steering doingWhatItRefuses() {
        return new Steering() {
            @Override
            DriverStep apply(DecisionDriver driver, DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(driver, state, event, now);
                return new DriverStep(
                        step.state(),
                        step.effects().stream()
                                .map(effect -> effect instanceof DriverEffect.Answer answer
                                        ? new DriverEffect.Answer(stale(answer.answer()))
                                        : effect)
                                .toList());
            }
        };
    }

    private static ControlAnswer stale(ControlAnswer answer) {
        return new ControlAnswer(
                answer.deployment(),
                answer.incarnation(),
                answer.id(),
                ControlAnswer.Verdict.STALE,
                answer.text(),
                answer.epoch(),
                answer.version());
    }

    private static ControlState unpaused(ControlState control) {
        return new ControlState(
                Optional.empty(),
                control.pins(),
                control.drained(),
                control.approved(),
                control.unanswered(),
                control.ids());
    }

    private static DriverState with(DriverState state, ControlState control) {
        PlannerState protocol = state.protocol();
        return new DriverState(
                protocol,
                state.lastWindow(),
                state.planFrom(),
                state.newest(),
                state.unjudged(),
                state.ordered(),
                state.setbacks(),
                state.towards(),
                state.foundWorse(),
                control);
    }
}
