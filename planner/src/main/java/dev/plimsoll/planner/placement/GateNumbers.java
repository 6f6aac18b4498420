package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Gain;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.planner.placement.Verdict.Numbers;
import dev.plimsoll.planner.placement.Verdict.Times;
import java.time.Duration;
import java.util.Optional;

/** What a candidate brings and what it costs, by tokens or by time: all that {@link Gate} compares. */
record GateNumbers(
        Gate.Settings settings,
        Learned learned,
        Candidate candidate,
        Placement earlier,
        Placement settled,
        Membership members,
        ExpertLoad newest,
        ReplicaParts parts,
        Duration windowTime) {

    /** Windows that a change has to pay for itself: as many as earlier gains lasted. */
    private int horizonWindows() {
        return learned.lastingWindows().orElse(settings.horizonWindows());
    }

    Numbers byTokens() {
        double[][] load = newest.toDoubles();
        double before = parts.hottest(settled, load, members.topology());
        double gain = Gain.of(before, parts.hottest(candidate.target(), load, members.topology()));
        double heldOut = Gain.of(before, parts.hottest(earlier, load, members.topology()));
        TransferCosts costs = learned.transfers();
        double seconds = 0;
        for (Batch batch : candidate.batches()) {
            seconds += MoveTime.transferSeconds(batch, members, costs);
        }
        return numbers(
                load,
                gain,
                heldOut,
                Math.min(gain, heldOut * learned.delivered()) * settings.expertTimeShare() * horizonWindows(),
                (seconds + candidate.batches().size() * costs.flipNanos() / 1e9) / windowSeconds(),
                Optional.empty());
    }

    Numbers byTime(ExpectedTime expected) {
        double[][] load = newest.toDoubles();
        double[] before = ExpertTime.layerMicros(settled, load, newest.steps(), expected, parts, members.topology());
        double[] after = layerMicros(candidate.target(), before, load, expected);
        double experts = ExpertTime.sum(before);
        double promised = ExpertTime.sum(layerMicros(earlier, before, load, expected));
        double gain = Gain.of(experts, ExpertTime.sum(after));
        double heldOut = Gain.of(experts, promised);

        StepCalibration step = learned.step().orElseGet(() -> Calibration.assumed(experts, settings.expertTimeShare()));
        double[] gains = new double[before.length];
        for (int layer = 0; layer < gains.length; layer++) {
            gains[layer] = before[layer] - after[layer];
        }
        double late =
                MoveTime.lateSteps(candidate.batches(), members, learned.transfers(), gains, step.stepMicros(experts));
        double steps = Math.max(0, (double) horizonWindows() * newest.steps() - late);
        double saved = Math.min(gain, heldOut * learned.delivered()) * step.scale() * experts * steps;
        double lost = MoveTime.lostMicros(candidate.batches(), members, learned.transfers(), step.share(experts));
        StepPromise promise =
                new StepPromise(experts, promised, step.stepMicros(experts), step.stepMicros(promised), step.assumed());
        return numbers(
                load,
                gain,
                heldOut,
                saved / 1e6 / windowSeconds(),
                lost / 1e6 / windowSeconds(),
                Optional.of(new Times(promise, saved, lost, horizonWindows(), late, step, learned.transfers())));
    }

    private double[] layerMicros(Placement placement, double[] before, double[][] load, ExpectedTime expected) {
        return ExpertTime.layerMicros(
                placement, settled, before, load, newest.steps(), expected, parts, members.topology());
    }

    private Numbers numbers(
            double[][] load, double gain, double heldOut, double pays, double cost, Optional<Times> time) {
        return new Numbers(
                parts.balance(settled, load, members.topology()).mean(),
                parts.balance(earlier, load, members.topology()).mean(),
                gain,
                heldOut,
                pays,
                cost,
                candidate.moves(),
                time);
    }

    private double windowSeconds() {
        return windowTime.toNanos() / 1e9;
    }
}
