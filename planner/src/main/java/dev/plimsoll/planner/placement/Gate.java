package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferLists;
import dev.plimsoll.planner.placement.Verdict.Change;
import dev.plimsoll.planner.placement.Verdict.Keep;
import dev.plimsoll.planner.placement.Verdict.Numbers;
import java.time.Duration;
import java.util.Locale;

/**
 * Decides whether a change of placement pays: on the newest window, for the change itself and for the one that the policy would
 * have made a window earlier.
 *
 * <p>The change has been fitted to the newest window and looks better there than it will be in the next. The earlier change has
 * not seen it, as the change will not have seen the window that comes: so what the earlier one makes of the newest window is what
 * can be promised, and a gain that it does not show is none.
 *
 * <p>Unit of gain and cost is <em>windows' worth of the group's time</em>. A step's experts take as long as the hottest rank
 * computes, so a window's gain is the relative fall of the hottest ranks' load, added up over layers; it is earned on the share of
 * a step that experts take, once per window over the horizon. The cost is the time in which the busiest receiver's and the
 * busiest sender's bytes pass its link, plus the flips, as if the group stood still meanwhile, which it does not: so
 * the cost is an upper bound.
 */
public final class Gate {

    /**
     * @param minimumGain least relative fall of the hottest ranks' load in the newest window, which the plan has been fitted to
     * @param minimumHeldOutGain least fall in the newest window by the plan that was made without it
     * @param horizonWindows windows over which a change must pay for itself
     * @param expertTimeShare share of a step that goes with the hottest rank's load
     * @param linkBytesPerSecond of one rank
     * @param flipTime measured time of one flip
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

    /**
     * @param earlier what the same policy would have made of the settled placement without the newest window
     * @param newest the newest complete window
     * @param windowTime how long a window takes
     */
    public static Verdict judge(
            Settings settings,
            Candidate candidate,
            Placement earlier,
            Placement settled,
            Topology topology,
            ExpertLoad newest,
            long bytesPerExpert,
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
        double[][] load = newest.toDoubles();
        double gain = gain(candidate.target(), settled, topology, load);
        double heldOut = gain(earlier, settled, topology, load);
        double windowSeconds = windowTime.toNanos() / 1e9;
        Numbers numbers = new Numbers(
                EvenSplit.balance(settled, load, topology).mean(),
                EvenSplit.balance(earlier, load, topology).mean(),
                gain,
                heldOut,
                Math.min(gain, heldOut) * settings.expertTimeShare() * settings.horizonWindows(),
                seconds(settings, candidate, topology, bytesPerExpert) / windowSeconds,
                candidate.moves());
        if (gain < settings.minimumGain()) {
            return keep(KeepReason.GAIN, numbers, settings.minimumGain());
        }
        if (heldOut < settings.minimumHeldOutGain()) {
            return keep(KeepReason.HELD_OUT, numbers, settings.minimumHeldOutGain());
        }
        if (!(numbers.pays() > numbers.cost())) {
            return keep(KeepReason.COST, numbers, settings.minimumGain());
        }
        return new Change(candidate, numbers);
    }

    private static Keep keep(KeepReason reason, Numbers numbers, double atLeast) {
        return new Keep(
                reason, numbers.line() + String.format(Locale.ROOT, "; at least %.1f %%", 100 * atLeast), numbers);
    }

    /** 0 where the window has no load. */
    private static double gain(Placement target, Placement settled, Topology topology, double[][] load) {
        double before = EvenSplit.hottest(settled, load, topology);
        return before == 0 ? 0 : (before - EvenSplit.hottest(target, load, topology)) / before;
    }

    private static double seconds(Settings settings, Candidate candidate, Topology topology, long bytesPerExpert) {
        double transfers = 0;
        for (var batch : candidate.batches()) {
            int busiest = TransferLists.of(batch, topology).busiest();
            transfers += (double) busiest * bytesPerExpert / settings.linkBytesPerSecond();
        }
        return transfers + candidate.batches().size() * settings.flipTime().toNanos() / 1e9;
    }
}
