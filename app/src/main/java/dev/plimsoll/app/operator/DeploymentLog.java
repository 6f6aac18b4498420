package dev.plimsoll.app.operator;

import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.source.Dated;
import java.util.List;
import java.util.Optional;

/**
 * What was read of one deployment's topics, in the order of each.
 *
 * @param members its newest incarnation
 * @param plan its newest commands, or all
 * @param planWhole whether these are all that the topic has
 * @param kept settled placements, as far as compaction has left them
 * @param acks those of the decisions that matter
 * @param control all
 * @param newestWindow the newest window summary, of whichever incarnation
 * @param newestWhole the newest complete one of this incarnation, where it is not long ago
 */
public record DeploymentLog(
        Membership members,
        List<Dated<PlanCommand>> plan,
        boolean planWhole,
        List<Dated<SettledPlacement>> kept,
        List<Dated<RankAck>> acks,
        List<Outcome> outcomes,
        List<Dated<ControlRecord>> control,
        Optional<Dated<WindowSummary>> newestWindow,
        Optional<WindowSummary> newestWhole) {
    public DeploymentLog {
        plan = List.copyOf(plan);
        kept = List.copyOf(kept);
        acks = List.copyOf(acks);
        outcomes = List.copyOf(outcomes);
        control = List.copyOf(control);
    }
}
