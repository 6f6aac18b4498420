package dev.plimsoll.worker;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.DriverEffect;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.DriverStep;
import dev.plimsoll.planner.PlanOrder;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.Sight;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;

/** Drivers that are wrong in one thing that people rely on. */
final class WrongDrivers {
    private WrongDrivers() {}

    static Deciding decidingInPauses(DecisionDriver driver) {
        return new Deciding(driver) {
            @Override
            DriverStep apply(DriverState state, DriverEvent event, Moment now) {
                if (!(event instanceof DriverEvent.Look)) {
                    return super.apply(state, event, now);
                }
                ControlState control = state.control();
                ControlState running = new ControlState(
                        Optional.empty(),
                        control.pins(),
                        control.drained(),
                        control.approved(),
                        control.unanswered(),
                        control.ids());
                DriverStep step = super.apply(with(state, running, state.ordered()), event, now);
                return new DriverStep(with(step.state(), control, step.state().ordered()), step.effects());
            }
        };
    }

    /** What was being planned when people asked for something is proposed all the same. */
    static Deciding keepingPlansOfBefore(DecisionDriver driver) {
        return new Deciding(driver) {
            @Override
            DriverStep apply(DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(state, event, now);
                return event instanceof DriverEvent.Answering && state.ordered().isPresent()
                        ? without(
                                new DriverStep(
                                        with(step.state(), step.state().control(), state.ordered()), step.effects()),
                                DriverEffect.Drop.class::isInstance)
                        : step;
            }
        };
    }

    static Deciding forgettingPeopleInTakeOvers(DecisionDriver driver) {
        return new Deciding(driver) {
            @Override
            DriverStep takeOver(
                    PlanLog log,
                    Setbacks setbacks,
                    ControlState control,
                    List<SettledPlacement> kept,
                    Membership members,
                    Moment now) {
                return super.takeOver(log, setbacks, ControlState.NONE, kept, members, now);
            }
        };
    }

    /** What its predecessor may have answered it answers too. */
    static Deciding answeringAgainInTakeOvers(DecisionDriver driver) {
        return new Deciding(driver) {
            private ControlState read = ControlState.NONE;

            @Override
            DriverStep takeOver(
                    PlanLog log,
                    Setbacks setbacks,
                    ControlState control,
                    List<SettledPlacement> kept,
                    Membership members,
                    Moment now) {
                ControlState before = read;
                return super.takeOver(
                        log, setbacks, before.unanswered().isEmpty() ? control : before, kept, members, now);
            }

            @Override
            DriverStep apply(DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(state, event, now);
                read = event instanceof DriverEvent.Controlled ? step.state().control() : read;
                return step;
            }
        };
    }

    static Deciding answeringOnly(DecisionDriver driver) {
        return new Deciding(driver) {
            @Override
            DriverStep apply(DriverState state, DriverEvent event, Moment now) {
                DriverStep step = super.apply(state, event, now);
                return event instanceof DriverEvent.Answering
                        ? new DriverStep(
                                with(state, step.state().control(), state.ordered()),
                                without(step, effect -> !(effect instanceof DriverEffect.Answer))
                                        .effects())
                        : step;
            }
        };
    }

    static Deciding obeyingWithoutAnAnswer(DecisionDriver driver) {
        return new Deciding(driver) {
            @Override
            DriverStep apply(DriverState state, DriverEvent event, Moment now) {
                return without(super.apply(state, event, now), DriverEffect.Answer.class::isInstance);
            }
        };
    }

    /** What windows show is taken for the end though ranks may flip more. */
    static Deciding endingBeforeRanksHaveStopped(DecisionDriver driver) {
        return new Deciding(driver) {
            @Override
            DriverStep apply(DriverState state, DriverEvent event, Moment now) {
                DriverEvent seen = event;
                if (event instanceof DriverEvent.Answering answering) {
                    Sight sight = answering.sight();
                    seen = new DriverEvent.Answering(
                            new Sight(sight.whole(), sight.newest(), OptionalLong.of(0)), answering.wayBack());
                }
                return super.apply(state, seen, now);
            }
        };
    }

    private static DriverStep without(DriverStep step, Predicate<DriverEffect> left) {
        return new DriverStep(
                step.state(), step.effects().stream().filter(left.negate()).toList());
    }

    private static DriverState with(DriverState state, ControlState control, Optional<PlanOrder> ordered) {
        return new DriverState(
                state.protocol(),
                state.lastWindow(),
                state.planFrom(),
                state.newest(),
                state.unjudged(),
                ordered,
                state.setbacks(),
                state.towards(),
                state.foundWorse(),
                control);
    }
}
