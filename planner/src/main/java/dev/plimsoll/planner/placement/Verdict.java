package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.TransferCosts;
import java.util.Locale;
import java.util.Optional;

/** What the gate says of a candidate. */
public sealed interface Verdict {

    /**
     * What the verdict was made from.
     *
     * @param currentBalancedness mean balancedness of the newest window's load under the settled placement
     * @param predictedBalancedness the same under what the policy would have made of it a window earlier: what can be expected of
     *     the candidate in the window that comes
     * @param gain what the change brings on the newest window's tokens, with it against without it: of expert time where the deployment is
     *     planned by time, else of the hottest ranks' load
     * @param heldOutGain the same for what the policy would have made a window earlier
     * @param pays windows' worth of time saved over the horizon
     * @param cost windows' worth of time that transfers and flips take
     * @param moves slots that get another expert
     * @param time the same in time; empty where the deployment is planned by tokens
     */
    record Numbers(
            double currentBalancedness,
            double predictedBalancedness,
            double gain,
            double heldOutGain,
            double pays,
            double cost,
            int moves,
            Optional<Times> time) {
        /** Where nothing was computed. */
        public static final Numbers NONE = new Numbers(Double.NaN, Double.NaN, 0, 0, 0, 0, 0, Optional.empty());

        /** One line for people. */
        public String line() {
            return time.map(this::line)
                    .orElseGet(() -> String.format(
                            Locale.ROOT,
                            "gain %.1f %%, held out %.1f %%, pays %.3f windows for %.3f, %d moves",
                            100 * gain,
                            100 * heldOutGain,
                            pays,
                            cost,
                            moves));
        }

        /** The line, and what its times rest on. */
        public String reason() {
            return line() + time.map(times -> "; " + times.basis()).orElse("");
        }

        private String line(Times times) {
            return String.format(
                    Locale.ROOT,
                    "%s, gain %.1f %%, held out %.1f %%, saves %.3f s in %d windows for %.3f s, %d moves",
                    times.promise().summary(),
                    100 * gain,
                    100 * heldOutGain,
                    times.savedMicros() / 1e6,
                    times.horizonWindows(),
                    times.lostMicros() / 1e6,
                    moves);
        }
    }

    /**
     * What a verdict by time was made from.
     *
     * @param promise step and expert time on the newest window's tokens, as the settled placement has them and as is to be expected
     * @param savedMicros over the horizon, of the steps from when batches are flipped on
     * @param lostMicros by steps while transfers compete with them, and by flips
     * @param horizonWindows windows that savings are counted for
     * @param lateSteps steps that pass until batches are flipped, on average over the gain
     * @param step what these times rest on
     * @param transfers what moving takes
     */
    record Times(
            StepPromise promise,
            double savedMicros,
            double lostMicros,
            int horizonWindows,
            double lateSteps,
            StepCalibration step,
            TransferCosts transfers) {
        /** One line for people. */
        public String basis() {
            return step.summary(promise.expertMicrosBefore()) + "; " + transfers.summary();
        }
    }

    Numbers numbers();

    /** The placement stays as it is. */
    record Keep(KeepReason reason, String detail, Numbers numbers) implements Verdict {
        public static Keep because(KeepReason reason, String detail) {
            return new Keep(reason, detail, Numbers.NONE);
        }
    }

    /**
     * The change pays, or must be.
     *
     * @param reason one line for people
     */
    record Change(Candidate candidate, Numbers numbers, String reason) implements Verdict {
        /** One that pays, by its numbers. */
        public Change(Candidate candidate, Numbers numbers) {
            this(candidate, numbers, numbers.reason());
        }

        /** One that must be, whatever it brings: it promises no gain, so that nobody learns from it what promises are worth. */
        public static Change promisingNothing(
                Candidate candidate, Placement settled, Membership members, ExpertLoad newest, String reason) {
            double now = EvenSplit.balance(Repair.asServed(settled, members), newest.toDoubles(), members.topology())
                    .mean();
            return new Change(
                    candidate, new Numbers(now, now, 0, 0, 0, 0, candidate.moves(), Optional.empty()), reason);
        }
    }
}
