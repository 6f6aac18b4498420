package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What an operator's wish to end what does not end by itself comes to: an end that is the truth, or why there is none.
 *
 * <p>Acks say what ranks have flipped; where some are missing, or say different things, the windows say it too: every sample carries the
 * state that its rank served. What they show is the end if it cannot change any more, and that is known in three cases:
 *
 * <ol>
 *   <li>The decision was never permitted. Ranks flip nothing without a PERMIT in the log, and only we write to it: nothing was or will be
 *       flipped, whoever has heard of the ABORT.
 *   <li>All ranks serve all of it. There is nothing left of it to flip.
 *   <li>One rank has said that it has stopped. It votes 0 for the decision for ever, and a flip takes all votes: nobody flips any
 *       more of it after that rank's word, whoever has heard of the ABORT. So what all ranks serve in a complete window that begins no
 *       earlier is what they serve for good. Steps are compared with steps; no clock is asked.
 * </ol>
 *
 * <p>A rank that has missed the ABORT hears of it, and of the end, when it hears orders again, and has stopped by then for the
 * others' sake. What it still says of the decision is of a past epoch and changes nothing. Should belief and ranks differ all the same,
 * since somebody's word was not true, no token is misrouted: a rank takes no decision that is based on another version than it serves
 * and no end that is not what it flipped, so decisions are refused, with the ranks' reason, and what is served is what was.
 */
public sealed interface WayOut {
    /**
     * What is in flight ends so.
     *
     * @param batches of the decision that were flipped; 0 where there is no decision
     * @param because how that is known, one line
     */
    record End(int batches, String because) implements WayOut {}

    /**
     * There is nothing to end: the deployment can decide, or has a decision in flight that is on its way.
     *
     * @param why one line
     */
    record Nothing(String why) implements WayOut {}

    /**
     * Nobody knows how it ends.
     *
     * @param why what is missing or contradicts, with ranks' names, and what to do; one line
     */
    record Refused(String why) implements WayOut {}

    /** What is left to do for who has no evidence. */
    String NEW_INCARNATION = "restart the deployment's ranks together, which begins a new incarnation";

    static WayOut of(PlannerState state, Sight sight) {
        Stage stage = state.stage();
        if (stage instanceof Stage.Idle) {
            return new Nothing("nothing is in flight, and v" + state.settled().version() + " is settled");
        }
        if (stage instanceof Stage.Quarantined quarantined) {
            return ofQuarantined(state, quarantined, sight);
        }
        if (stage instanceof Stage.Aborting aborting) {
            return ofAborting(state, aborting, sight);
        }
        int epoch = stage.inFlight().orElseThrow().epoch();
        return new Nothing("decision " + epoch + " is on its way: abort it to stop it");
    }

    private static WayOut ofAborting(PlannerState state, Stage.Aborting aborting, Sight sight) {
        Propose decision = aborting.decision();
        Evidence said = aborting.evidence();
        boolean someFlipped = said.flipped().sum() > 0 || maxOf(said) > 0;
        if (!aborting.permitted() && !someFlipped) {
            return new End(0, "it was never permitted, so that no rank can have flipped any of it");
        }
        return fromWindows(
                state.settled(),
                decision,
                sight,
                "of decision " + decision.epoch() + " it is not known how far " + Served.names(silent(said)) + " got");
    }

    private static WayOut ofQuarantined(PlannerState state, Stage.Quarantined quarantined, Sight sight) {
        if (quarantined.unlike() && quarantined.logged().isEmpty()) {
            return new Refused("the plan log does not say any more what v"
                    + state.settled().version() + " is, and what was kept of it is something else: " + NEW_INCARNATION);
        }
        Placement base = quarantined.logged().orElse(state.settled());
        if (quarantined.decision().isPresent()) {
            return fromWindows(base, quarantined.decision().orElseThrow(), sight, quarantined.reason());
        }
        Optional<String> unclear = unclear(sight, quarantined.reason());
        if (unclear.isPresent()) {
            return new Refused(unclear.orElseThrow());
        }
        Served whole = sight.whole().orElseThrow();
        PlacementState served = whole.states().get(0).state();
        return served.equals(PlacementState.settled(base.version()))
                ? new End(0, "all ranks serve " + served + " in steps " + whole.steps())
                : new Refused(quarantined.reason() + "; and all ranks serve " + served + ", which is not v"
                        + base.version() + ", the last that the plan log settled: " + NEW_INCARNATION);
    }

    private static WayOut fromWindows(Placement base, Propose decision, Sight sight, String why) {
        Optional<String> unclear = unclear(sight, why);
        if (unclear.isPresent()) {
            return new Refused(unclear.orElseThrow());
        }
        Served whole = sight.whole().orElseThrow();
        PlacementState served = whole.states().get(0).state();
        OptionalInt batches = batches(base, decision, served);
        String shows = "all ranks serve " + served + " in steps " + whole.steps();
        if (batches.isEmpty()) {
            return new Refused(why + "; and " + shows + ", to which decision " + decision.epoch() + " on v"
                    + base.version() + " cannot have led: " + NEW_INCARNATION);
        }
        if (batches.getAsInt() == decision.batches().size()) {
            return new End(batches.getAsInt(), shows + ", which is all of it");
        }
        if (sight.stoppedAt().isEmpty()) {
            return new Refused(why + "; " + shows + ", but no rank has said that it has stopped, so that they may flip"
                    + " more of it yet: start the workers beside them, which bring them the ABORT, or "
                    + NEW_INCARNATION);
        }
        long stoppedAt = sight.stoppedAt().getAsLong();
        return whole.steps().from() >= stoppedAt
                ? new End(batches.getAsInt(), shows + ", after ranks have stopped at step " + stoppedAt)
                : new Refused(why + "; ranks have stopped at step " + stoppedAt
                        + ", and the newest complete window begins before, at step "
                        + whole.steps().from() + ": try again when one is complete that begins after it"
                        + missing(sight));
    }

    /** Why windows do not say what all ranks serve; empty where the newest complete one does. */
    private static Optional<String> unclear(Sight sight, String why) {
        if (sight.whole().isEmpty()) {
            return Optional.of(why + "; and there is no complete window that would show what they serve"
                    + missing(sight) + ": start the collectors beside them, or " + NEW_INCARNATION);
        }
        Served whole = sight.whole().orElseThrow();
        if (whole.states().size() != 1) {
            return Optional.of(why + "; and in steps " + whole.steps() + " they serve " + whole.seen()
                    + ": try again after a window under one state; where there is none, they really serve different"
                    + " placements, and only a new incarnation helps: " + NEW_INCARNATION);
        }
        return Optional.empty();
    }

    private static String missing(Sight sight) {
        return sight.newest()
                .filter(newest -> !newest.complete())
                .map(newest -> "; in the newest, of steps " + newest.steps() + ", samples are missing of "
                        + Served.names(newest.silent()))
                .orElse("");
    }

    /** Batches flipped where a rank serves that; empty where the decision cannot have led there. */
    private static OptionalInt batches(Placement base, Propose decision, PlacementState served) {
        if (served.equals(PlacementState.settled(decision.epoch()))) {
            // With its last flip a decision is the new version, whether or not that is settled.
            return OptionalInt.of(decision.batches().size());
        }
        if (served.equals(PlacementState.settled(base.version()))) {
            return OptionalInt.of(0);
        }
        boolean prefix = served.settledVersion() == base.version()
                && served.epoch() == decision.epoch()
                && served.batchesFlipped() <= decision.batches().size();
        return prefix ? OptionalInt.of(served.batchesFlipped()) : OptionalInt.empty();
    }

    private static long maxOf(Evidence said) {
        long most = -1;
        for (int rank = 0; rank < said.ranks(); rank++) {
            most = Math.max(most, said.aborted().at(rank));
        }
        return most;
    }

    private static List<RankId> silent(Evidence said) {
        List<RankId> silent = new ArrayList<>();
        for (int rank = 0; rank < said.ranks(); rank++) {
            if (said.aborted().at(rank) < 0) {
                silent.add(new RankId(rank));
            }
        }
        return silent;
    }
}
