package dev.plimsoll.replay;

import dev.plimsoll.model.Outcome;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import java.util.List;

/**
 * What serving a workload by one policy, as the planner would, has come to. Later decisions are those after the first, which starts
 * from a placement that was made for no load at all.
 *
 * @param policy as it was asked for, with its settings
 * @param windows that were served, all
 * @param balancedness mean over windows of the mean over layers, the windows before the first decision too
 * @param decisions that settled
 * @param laterMeasured settled later decisions under which at least one whole window ran
 * @param laterGained those of them that brought something: whose gain on the same tokens is above zero
 * @param laterKept those that kept what they promised
 * @param laterGain mean over these decisions of their gain; NaN where there is none
 * @param laterMoves of all later decisions
 * @param moves of all decisions
 */
public record AsServedScores(
        String policy,
        int windows,
        double balancedness,
        int decisions,
        int laterMeasured,
        int laterGained,
        int laterKept,
        double laterGain,
        long laterMoves,
        long moves) {

    static AsServedScores of(PolicyRun run, List<Outcome> outcomes) {
        List<Outcome> later = outcomes.stream()
                .skip(1)
                .filter(outcome -> outcome.measured().isPresent())
                .toList();
        return new AsServedScores(
                run.name(),
                run.served().size(),
                run.served().stream()
                        .mapToDouble(ServedWindow::mean)
                        .filter(Double::isFinite)
                        .average()
                        .orElse(Double.NaN),
                run.decisions().size(),
                later.size(),
                (int) later.stream().filter(outcome -> gain(outcome) > 0).count(),
                (int) later.stream()
                        .filter(outcome ->
                                gain(outcome) >= outcome.promisedGain().orElse(0))
                        .count(),
                later.stream().mapToDouble(AsServedScores::gain).average().orElse(Double.NaN),
                run.moves()
                        - (run.decisions().isEmpty()
                                ? 0
                                : run.decisions().get(0).moves()),
                run.moves());
    }

    private static double gain(Outcome outcome) {
        return outcome.measured().orElseThrow().gain();
    }

    /** Moves for each 0.01 of mean balancedness that this run is above another, as {@code static} is; NaN where it is not above. */
    public double movesPerPoint(AsServedScores than) {
        double points = 100 * (balancedness - than.balancedness);
        return points > 0 ? moves / points : Double.NaN;
    }
}
