package dev.plimsoll.replay.source;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Gain;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Term;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.SettingsText;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;

/**
 * What really happened, as a run of the policy {@link PolicyRun#LIVE}: windows as they were measured, decisions as the plan log tells them,
 * what came of them as the outcomes tell it, and what the same window would have been without. Pure.
 */
final class LiveRun {
    /** Placements that are kept for pictures, those of the newest decisions. */
    private static final int MOST_PLACEMENTS = 64;

    /** Why the placement was kept where a decision ended without a move. */
    private static final String VOID = "VOID";

    private final Membership members;
    private final SortedMap<Integer, Outcome> outcomes;
    private final LongUnaryOperator indexOf;
    private final List<ServedWindow> served = new ArrayList<>();
    /** {@code epoch → decision}, in the order of the log. */
    private final TreeMap<Integer, MadeDecision> decisions = new TreeMap<>();

    private final Set<Long> decidedAt = new HashSet<>();
    /** {@code epoch → placement before}, of those whose measured window is still to come. */
    private final Map<Integer, Placement> before = new HashMap<>();

    private final Map<String, Integer> kept = new TreeMap<>();
    private final TreeMap<Long, int[][]> placements = new TreeMap<>();
    private final Set<String> settings = new TreeSet<>();
    private Optional<PastDecision> newest = Optional.empty();

    /**
     * @param outcomes {@code version → outcome}
     * @param indexOf the window in which a window of the plan log ends: itself, unless windows have another length
     */
    LiveRun(Membership members, SortedMap<Integer, Outcome> outcomes, LongUnaryOperator indexOf) {
        this.members = members;
        this.outcomes = outcomes;
        this.indexOf = indexOf;
    }

    /** The window in which a window of the plan log ends. */
    long indexOf(long liveIndex) {
        return indexOf.applyAsLong(liveIndex);
    }

    /** The next decision, which is told before the windows behind the one that it was made from. */
    void decided(PastDecision decision) {
        settings.add(decision.term().map(Term::settings).orElse(""));
        if (decision.end().filter(PlanCommand.Void.class::isInstance).isPresent()) {
            voided(decision);
            return;
        }
        int moves = decision.movesFlipped();
        int layers = (int) decision.propose().batches().stream()
                .limit(decision.batchesFlipped())
                .map(Batch::moves)
                .flatMap(List::stream)
                .map(move -> move.layer().index())
                .distinct()
                .count();
        Outcome outcome = outcomes.get(decision.epoch());
        decisions.put(
                decision.epoch(),
                new MadeDecision(
                        indexOf.applyAsLong(decision.windowIndex()),
                        decision.epoch(),
                        decision.propose().planHash(),
                        moves,
                        moves * members.bytesPerExpert(),
                        layers,
                        decision.propose().currentBalancedness(),
                        decision.propose().predictedBalancedness(),
                        outcome == null ? Double.NaN : outcome.realised().mean(),
                        Double.NaN,
                        Double.NaN,
                        0,
                        decision.fate() + "; " + decision.propose().reason()));
        decidedAt.add(indexOf.applyAsLong(decision.windowIndex()));
        if (outcome != null && outcome.measured().isPresent()) {
            decisions.computeIfPresent(decision.epoch(), (epoch, made) -> made.withMeasured(outcome.measured()));
        } else if (outcome != null) {
            // Of a planner that measured the first window only, and not what it would have been without.
            decision.base().ifPresent(base -> before.put(decision.epoch(), base));
        }
        newest = Optional.of(decision);
    }

    private static KeepReason why(WindowSummary window) {
        if (window.conservation().violated()) {
            return KeepReason.NOT_CONSERVED;
        }
        return window.complete() ? KeepReason.UNKNOWN_STATE : KeepReason.INCOMPLETE;
    }

    /** The next window. */
    void served(LiveWindow window) {
        if (!window.usable()) {
            keep(why(window.summary()));
            return;
        }
        List<PlacementState> states = window.summary().states();
        served.add(new ServedWindow(
                window.index(),
                window.summary().balance().mean(),
                window.summary().balance().min(),
                window.summary().balance().worstLayer(),
                window.hottestLoad(),
                states.isEmpty() ? 0 : states.get(states.size() - 1).settledVersion()));
        if (decidedAt.contains(window.index())) {
            window.servedLast().ifPresent(placement -> placements.put(window.index(), placement.marked()));
            if (placements.size() > MOST_PLACEMENTS) {
                placements.pollFirstEntry();
            }
        } else {
            newest.filter(decision -> decision.lastWindow().isEmpty()
                            || window.index()
                                    <= indexOf.applyAsLong(decision.lastWindow().getAsLong()))
                    .ifPresent(decision -> keep(KeepReason.IN_FLIGHT));
        }
        measure(window);
    }

    /** A decision that changed nothing keeps the placement, as it does where it is replayed. */
    private void voided(PastDecision decision) {
        kept.merge(VOID, 1, Integer::sum);
        decidedAt.add(indexOf.applyAsLong(decision.windowIndex()));
        newest = Optional.of(decision);
    }

    private void keep(KeepReason reason) {
        kept.merge(reason.name(), 1, Integer::sum);
    }

    private void measure(LiveWindow window) {
        before.entrySet().removeIf(entry -> {
            Outcome outcome = outcomes.get(entry.getKey());
            if (outcome == null || indexOf.applyAsLong(outcome.windowIndex()) != window.index()) {
                return false;
            }
            double[][] load = window.load().orElseThrow().load().toDoubles();
            double mean = EvenSplit.balance(entry.getValue(), load, members.topology())
                    .mean();
            double gain = Gain.of(EvenSplit.hottest(entry.getValue(), load, members.topology()), window.hottestLoad());
            decisions.computeIfPresent(
                    entry.getKey(), (epoch, made) -> made.withMeasured(made.measured(), mean, gain, 1));
            return true;
        });
    }

    PolicyRun run() {
        return new PolicyRun(
                PolicyRun.LIVE,
                SettingsText.named(
                        newest.flatMap(PastDecision::term).map(Term::settings).orElse("")),
                members.topology().ranks(),
                members.topology().slots() - members.shape().experts(),
                (int) members.topology().nodeOfRank().stream().distinct().count(),
                served,
                List.copyOf(decisions.values()),
                kept,
                0,
                placements);
    }

    List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (settings.contains("")) {
            notes.add("live decisions of planners that do not say their settings are among those that happened");
        }
        if (settings.size() > 1) {
            notes.add("the live planner's settings have changed meanwhile: " + settings.size()
                    + " different ones; shown are those of the newest decision");
        }
        long open = before.size();
        if (open > 0) {
            notes.add(open + " live decisions were measured in windows that cannot be used or are not in the range");
        }
        return notes;
    }
}
