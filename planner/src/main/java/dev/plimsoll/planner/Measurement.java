package dev.plimsoll.planner;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Gain;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.ExpertTime;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.placement.Rollback;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a settled decision brings, window by window, until the next one is made: each window with it and without it, on the same tokens.
 *
 * <p>The load of experts does not depend on where they are, so a window that ran under the decision can be scored under the placement
 * before as well. A window from before the flip says nothing here: its tokens are others. Pure; for one thread.
 */
final class Measurement {
    /** Of fewer windows the spread says little. */
    private static final int LEAST_TO_TAKE_BACK = 3;
    /** Standard errors of a mean gain that it may be off by. */
    private static final double NOISE = 2;

    private record Scored(
            long window,
            double gain,
            double balancednessWith,
            double balancednessWithout,
            OptionalDouble microsWith,
            OptionalDouble microsWithout,
            OptionalDouble stepMicros) {}

    private final Membership members;
    private final Objective objective;
    private final Propose decision;
    private final Flipped flipped;
    private final Placement with;
    private final Optional<Placement> without;
    private final int most;
    private final List<Scored> scored = new ArrayList<>();
    private Optional<WindowSummary> first = Optional.empty();
    private boolean told;
    private boolean ended;

    /**
     * What of a decision took effect.
     *
     * @param moves slots that got another expert
     * @param complete whether that is all of it
     */
    record Flipped(int moves, boolean complete) {
        static Flipped of(Propose decision, PlanCommand.Settled end) {
            return new Flipped(
                    decision.batches().stream()
                            .limit(end.batchesFlipped())
                            .mapToInt(batch -> batch.moves().size())
                            .sum(),
                    end.complete());
        }
    }

    /**
     * @param flipped of it
     * @param with the placement that it led to
     * @param without the placement before it; empty where it is not known: then only the promise is checked, in one window
     * @param most windows that are measured; more tell little that is new
     * @param told whether its first outcome has been told, by a planner before this one
     */
    Measurement(
            Membership members,
            Objective objective,
            Propose decision,
            Flipped flipped,
            Placement with,
            Optional<Placement> without,
            int most,
            boolean told) {
        this.members = members;
        this.objective = objective;
        this.decision = decision;
        this.flipped = flipped;
        this.with = with;
        this.without = without;
        this.most = most;
        this.told = told;
    }

    int moves() {
        return flipped.moves();
    }

    /**
     * A complete window that ran wholly under the settled placement, in the order of the log; one that did not run under this decision,
     * as whoever takes over reads from before it again, changes nothing, and so does one without load: of no tokens there is no gain.
     *
     * @return what is to be told: after the first window, and after the last one that is measured
     */
    Optional<Outcome> window(WindowSummary window, ExpertLoad load) {
        if (ended || !ranUnder(window) || !loaded(load)) {
            return Optional.empty();
        }
        if (first.isEmpty()) {
            first = Optional.of(window);
        }
        without.ifPresent(before -> scored.add(score(window, load, before)));
        if (without.isEmpty() || scored.size() == most) {
            return end();
        }
        if (told) {
            return Optional.empty();
        }
        told = true;
        return Optional.of(outcome(false));
    }

    /** The next decision is made, or the incarnation is over: no more windows. Tells what came of all, unless there was none. */
    Optional<Outcome> end() {
        if (ended || first.isEmpty()) {
            ended = true;
            return Optional.empty();
        }
        ended = true;
        return Optional.of(outcome(true));
    }

    /** What it has brought so far, told or not; empty before its first window and after its last. */
    Optional<Outcome> soFar() {
        return ended || first.isEmpty() ? Optional.empty() : Optional.of(outcome(false));
    }

    /**
     * The placement before, where it was better on the tokens since by more than can be told from noise, and by no less than that. A decision
     * that took back another is not taken back itself: two that are about as good would take turns. Nor is one that was made whatever it
     * brings, since people asked for it or the placement before was not sound.
     *
     * @param least part of the busiest ranks' load, or of expert time, that is worth moving for
     */
    Optional<PlanTarget> worseThan(double least) {
        if (ended
                || without.isEmpty()
                || scored.size() < LEAST_TO_TAKE_BACK
                || Setbacks.isOwnRollback(decision)
                || promisesNothing(decision)) {
            return Optional.empty();
        }
        double mean = mean(Scored::gain);
        double noise = NOISE * spread(mean) / Math.sqrt(scored.size());
        if (-mean <= noise || -mean < least) {
            return Optional.empty();
        }
        return Optional.of(new PlanTarget(
                without.orElseThrow(),
                Rollback.POLICY,
                String.format(
                        Locale.ROOT,
                        "takes back decision %d: gain %.1f %% ± %.1f %% over %d windows, %s",
                        decision.epoch(),
                        100 * mean,
                        100 * noise,
                        scored.size(),
                        promisedGain().isPresent()
                                ? String.format(
                                        Locale.ROOT,
                                        "%.1f %% promised",
                                        100 * promisedGain().getAsDouble())
                                : "nothing promised")));
    }

    private static boolean promisesNothing(Propose decision) {
        return decision.step().isEmpty()
                && Double.compare(decision.predictedBalancedness(), decision.currentBalancedness()) == 0;
    }

    private boolean ranUnder(WindowSummary window) {
        return window.states().stream()
                .allMatch(state -> state.settledVersion() == decision.epoch() || state.epoch() == decision.epoch());
    }

    private boolean loaded(ExpertLoad load) {
        return EvenSplit.balance(with, load.toDoubles(), members.topology()).loaded();
    }

    private Scored score(WindowSummary window, ExpertLoad load, Placement before) {
        double[][] tokens = load.toDoubles();
        ReplicaParts parts = ReplicaParts.of(members, List.of(load));
        OptionalDouble microsWith = micros(with, tokens, load.steps(), parts);
        OptionalDouble microsWithout = micros(before, tokens, load.steps(), parts);
        double gain = microsWith.isPresent()
                ? Gain.of(microsWithout.getAsDouble(), microsWith.getAsDouble())
                : Gain.of(
                        parts.hottest(before, tokens, members.topology()),
                        parts.hottest(with, tokens, members.topology()));
        return new Scored(
                window.index(),
                gain,
                parts.balance(with, tokens, members.topology()).mean(),
                parts.balance(before, tokens, members.topology()).mean(),
                microsWith,
                microsWithout,
                stepMicros(window));
    }

    private OptionalDouble micros(Placement placement, double[][] tokens, long steps, ReplicaParts parts) {
        return objective instanceof Objective.Time time && steps > 0
                ? OptionalDouble.of(
                        ExpertTime.stepMicros(placement, tokens, steps, time.expected(), parts, members.topology()))
                : OptionalDouble.empty();
    }

    private OptionalDouble stepMicros(WindowSummary window) {
        Optional<StepTime> time = window.stepTime();
        return time.isPresent()
                ? OptionalDouble.of(time.orElseThrow().stepMicros(members.boundarySteps()))
                : OptionalDouble.empty();
    }

    private Outcome outcome(boolean last) {
        WindowSummary window = first.orElseThrow();
        Balance realised = window.balance();
        return new Outcome(
                members.deployment(),
                members.incarnation(),
                decision.epoch(),
                window.index(),
                flipped.moves(),
                decision.currentBalancedness(),
                flipped.complete() ? decision.predictedBalancedness() : decision.currentBalancedness(),
                realised,
                promisedGain(),
                flipped.complete() ? decision.step() : Optional.empty(),
                without.map(before -> measured(last)),
                Optional.of(decision.policy()));
    }

    /**
     * By time where that was promised; else as the busiest ranks' load is the mean load ÷ balancedness. Nothing was promised of a part of
     * a decision: held against the promise of all of it, the policy would seem to promise too much whenever ranks stop half-way.
     */
    private OptionalDouble promisedGain() {
        if (!flipped.complete()) {
            return OptionalDouble.empty();
        }
        if (decision.step().isPresent()) {
            return OptionalDouble.of(Gain.of(
                    decision.step().get().expertMicrosBefore(),
                    decision.step().get().expertMicrosPromised()));
        }
        double current = decision.currentBalancedness();
        double predicted = decision.predictedBalancedness();
        return current > 0 && predicted > 0
                ? OptionalDouble.of(Gain.of(1 / current, 1 / predicted))
                : OptionalDouble.empty();
    }

    private MeasuredGain measured(boolean last) {
        double mean = mean(Scored::gain);
        int lasted = lasted();
        return new MeasuredGain(
                scored.size(),
                scored.get(0).window(),
                scored.get(scored.size() - 1).window(),
                last,
                mean,
                spread(mean),
                lasted,
                lasted < scored.size(),
                mean(Scored::balancednessWith),
                mean(Scored::balancednessWithout),
                meanOf(Scored::microsWith),
                meanOf(Scored::microsWithout),
                meanOf(Scored::stepMicros));
    }

    private double spread(double mean) {
        double squares = 0;
        for (Scored window : scored) {
            squares += (window.gain() - mean) * (window.gain() - mean);
        }
        return scored.size() < 2 ? 0 : Math.sqrt(squares / (scored.size() - 1));
    }

    /** Windows before the first two in a row with less than half of the first window's gain, or, where that had none, at all. */
    private int lasted() {
        double half = scored.get(0).gain() > 0 ? scored.get(0).gain() / 2 : Double.POSITIVE_INFINITY;
        for (int i = 1; i < scored.size(); i++) {
            if (scored.get(i - 1).gain() < half && scored.get(i).gain() < half) {
                return i - 1;
            }
        }
        return scored.size();
    }

    private interface Value {
        double of(Scored window);
    }

    private interface PerhapsValue {
        OptionalDouble of(Scored window);
    }

    private double mean(Value value) {
        double sum = 0;
        for (Scored window : scored) {
            sum += value.of(window);
        }
        return sum / scored.size();
    }

    /** Over the windows that have one. */
    private OptionalDouble meanOf(PerhapsValue value) {
        double sum = 0;
        int count = 0;
        for (Scored window : scored) {
            OptionalDouble of = value.of(window);
            if (of.isPresent()) {
                sum += of.getAsDouble();
                count++;
            }
        }
        return count == 0 ? OptionalDouble.empty() : OptionalDouble.of(sum / count);
    }
}
