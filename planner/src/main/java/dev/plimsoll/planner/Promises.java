package dev.plimsoll.planner;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Repair;
import dev.plimsoll.planner.protocol.PlanLog;
import java.util.Optional;

/**
 * What a deployment's decisions have promised and what came of them: measures the newest settled one and remembers how earlier ones
 * turned out, which the gate learns from. Pure; for one thread.
 */
final class Promises {
    private final PlannerSettings settings;
    private final OutcomeHistory outcomes;
    private Optional<Measurement> measurement = Optional.empty();

    /** @param outcomes of the deployment's decisions so far */
    Promises(PlannerSettings settings, OutcomeHistory outcomes) {
        this.settings = settings;
        this.outcomes = outcomes;
    }

    /** Goes on where a predecessor left off, with the windows that are read again, unless it was done: a later decision was made, or so. */
    void takeOver(PlanLog log, Membership members, WindowBook book, Placement settled) {
        long incarnation = members.incarnation();
        log.lastSettled(incarnation).ifPresent(end -> {
            boolean newest = log.lastProposal(incarnation)
                    .filter(decision -> decision.epoch() == end.epoch())
                    .isPresent();
            if (newest
                    && outcomes.of(incarnation, end.epoch())
                            .filter(Outcome::last)
                            .isEmpty()) {
                begin(log.proposal(end.epoch()), end, members, book, settled);
            }
        });
    }

    /**
     * From now on windows tell what a decision brings.
     *
     * @param decision empty where the log has lost it
     * @param with what it has led to
     */
    void begin(
            Optional<Propose> decision, PlanCommand.Settled end, Membership members, WindowBook book, Placement with) {
        measurement = decision.map(made -> new Measurement(
                members,
                book.objective(),
                made,
                Measurement.Flipped.of(made, end),
                Repair.asServed(with, members),
                book.known().of(PlacementState.settled(made.basedOn())),
                settings.historyWindows(),
                outcomes.of(members.incarnation(), made.epoch()).isPresent()));
    }

    /** Slots that got another expert by the decision that is measured. */
    int moves() {
        return measurement.map(Measurement::moves).orElse(0);
    }

    /** A complete window that ran wholly under the settled placement; what is to be told because of it. */
    Optional<Outcome> window(WindowSummary summary, ExpertLoad load) {
        return kept(measurement.flatMap(measuring -> measuring.window(summary, load)));
    }

    /** No further windows run under what is measured; what is to be told because of it. */
    Optional<Outcome> end() {
        Optional<Outcome> last = kept(measurement.flatMap(Measurement::end));
        measurement = Optional.empty();
        return last;
    }

    private Optional<Outcome> kept(Optional<Outcome> outcome) {
        outcome.ifPresent(outcomes::add);
        return outcome;
    }

    /** What the newest settled decision has brought so far, before it is told; empty where that is known to its end, or nothing is. */
    Optional<Outcome> soFar() {
        return measurement.flatMap(Measurement::soFar);
    }

    /** What to go back to, where the newest settled decision has made it worse. */
    Optional<PlanTarget> worse() {
        return settings.rollback()
                ? measurement.flatMap(
                        measuring -> measuring.worseThan(settings.gate().minimumGain()))
                : Optional.empty();
    }

    /** What is to be learnt from earlier decisions of a policy. */
    Experience experience(String policy) {
        return settings.experience() ? outcomes.experience(policy) : Experience.NONE;
    }
}
