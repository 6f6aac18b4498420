package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.planner.placement.Verdict.Change;
import dev.plimsoll.planner.placement.Verdict.Keep;
import dev.plimsoll.planner.placement.Verdict.Numbers;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * Decides whether a change of placement pays: on the newest window, for the change itself and for the one that the policy would
 * have made a window earlier.
 *
 * <p>The change has been fitted to the newest window and looks better there than it will be in the next. The earlier change has
 * not seen it, as the change will not have seen the window that comes: so what the earlier one makes of the newest window is what
 * can be promised, and a gain that it does not show is none.
 *
 * <p>Where a device profile is known, gain and cost are times. A gain is that of a step's experts, by the profile, at the scale that
 * step times have shown, in all steps of the horizon from when batches are flipped on; against it stands the time that steps lose to
 * transfers and flips ({@link MoveTime}).
 *
 * <p>By tokens, their unit is <em>windows' worth of the group's time</em>. A step's experts take as long as the hottest rank
 * computes, so a window's gain is the relative fall of the hottest ranks' load, added up over layers; it is earned on the share of
 * a step that experts take, once per window over the horizon. The cost is the time in which the busiest receiver's and the
 * busiest sender's bytes pass its link, plus the flips, as if the group stood still meanwhile, which it does not: so
 * the cost is an upper bound.
 *
 * <p>Either way the gate learns from what earlier decisions brought: gains are counted for as long as those lasted, the part of the
 * promise that came is what pays, and what could not have been told from none is none. What is promised stays what the earlier
 * change shows: it is what the next outcome is held against.
 */
public final class Gate {

    /**
     * @param minimumGain least gain, of expert time or else of the hottest ranks' load, in the newest window, which the plan has been
     *     fitted to
     * @param minimumHeldOutGain least gain in the newest window by the plan that was made without it
     * @param horizonWindows windows over which a change must pay for itself, where nobody knows how long earlier gains lasted
     * @param expertTimeShare share of a step that goes with the hottest rank's load; assumed, as the two below, until it is measured
     * @param linkBytesPerSecond of one rank
     * @param flipTime of one flip
     */
    public record Settings(
            double minimumGain,
            double minimumHeldOutGain,
            int horizonWindows,
            double expertTimeShare,
            double linkBytesPerSecond,
            Duration flipTime) {
        public Settings {
            if (!(minimumGain >= 0 && minimumGain < 1) || !(minimumHeldOutGain >= 0 && minimumHeldOutGain < 1)) {
                throw new IllegalArgumentException(
                        "minimum gains must be in [0, 1): " + minimumGain + ", held out " + minimumHeldOutGain);
            }
            if (horizonWindows < 1) {
                throw new IllegalArgumentException("the horizon must be at least 1 window: " + horizonWindows);
            }
            if (!(expertTimeShare > 0 && expertTimeShare <= 1) || !(linkBytesPerSecond > 0) || flipTime.isNegative()) {
                throw new IllegalArgumentException("expert time share must be in (0, 1], link speed above 0, flip time "
                        + "not negative: " + expertTimeShare + ", " + linkBytesPerSecond + ", " + flipTime);
            }
        }
    }

    private Gate() {}

    /** What is known of a deployment of which nothing has been measured. */
    public static Learned nothing(Settings settings) {
        return learned(Optional.empty(), assumed(settings), Experience.NONE);
    }

    /** What transfers and flips are assumed to take. */
    public static TransferCosts assumed(Settings settings) {
        return new TransferCosts(
                settings.linkBytesPerSecond(), settings.flipTime().toNanos(), 0);
    }

    /** All that a gate learns of a deployment. */
    public static Learned learned(Optional<StepCalibration> step, TransferCosts transfers, Experience experience) {
        return new Learned(
                step,
                transfers,
                experience.delivered(),
                experience.noise(),
                experience.lastingWindows(),
                experience.decisions());
    }

    /**
     * @param objective what the deployment is planned by
     * @param learned what is known of it besides
     * @param earlier what the same policy would have made of the settled placement without the newest window
     * @param newest the newest complete window
     * @param parts how replicas share their expert's tokens
     * @param windowTime how long a window takes
     */
    public static Verdict judge(
            Settings settings,
            Objective objective,
            Learned learned,
            Candidate candidate,
            Placement earlier,
            Placement settled,
            Membership members,
            ExpertLoad newest,
            ReplicaParts parts,
            Duration windowTime) {
        if (candidate.batches().isEmpty()) {
            boolean wanted =
                    !candidate.unfitting().isEmpty() || !candidate.overBudget().isEmpty();
            return Keep.because(
                    wanted ? KeepReason.BUDGET : KeepReason.BALANCED,
                    wanted
                            ? "layers " + candidate.unfitting() + " exceed staging, " + candidate.overBudget()
                                    + " the budget"
                            : "the policy wants no change");
        }
        GateNumbers of =
                new GateNumbers(settings, learned, candidate, earlier, settled, members, newest, parts, windowTime);
        // Without steps nobody can tell the tokens of one.
        Numbers numbers = objective instanceof Objective.Time time && newest.steps() > 0
                ? of.byTime(time.expected())
                : of.byTokens();
        double leastGain = Math.max(settings.minimumGain(), learned.noise());
        double leastHeldOut = Math.max(settings.minimumHeldOutGain(), learned.noise());
        if (numbers.gain() < leastGain) {
            return keep(KeepReason.GAIN, numbers, leastGain);
        }
        if (numbers.heldOutGain() * learned.delivered() < leastHeldOut) {
            return keep(KeepReason.HELD_OUT, numbers, leastHeldOut);
        }
        if (!(numbers.pays() > numbers.cost())) {
            return keep(KeepReason.COST, numbers, leastGain);
        }
        return new Change(candidate, numbers);
    }

    private static Keep keep(KeepReason reason, Numbers numbers, double atLeast) {
        return new Keep(
                reason,
                numbers.line()
                        + "; at least "
                        + numbers.time()
                                .map(times -> String.format(
                                        Locale.ROOT,
                                        "%.3f ms, ",
                                        atLeast
                                                * times.step().scale()
                                                * times.promise().expertMicrosBefore()
                                                / 1e3))
                                .orElse("")
                        + String.format(Locale.ROOT, "%.1f %%", 100 * atLeast),
                numbers);
    }
}
