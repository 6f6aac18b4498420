package dev.plimsoll.app.operator;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Rollback;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Why a decision was made as it was, and what has come of it, for people: from its records alone. */
public final class Explanation {
    private final DecisionStory decision;
    private final Membership members;
    private final Propose propose;
    private final List<String> lines = new ArrayList<>();

    private Explanation(DecisionStory decision, Membership members) {
        this.decision = decision;
        this.members = members;
        this.propose = decision.proposed().value();
    }

    private static String rule(Stop stop) {
        return switch (stop) {
            case UNLOADED -> "the layer has no load";
            case OPTIMUM -> "no single step makes it more even";
            case PRICE -> "the best step left brings less than its moves cost";
            case NOISE -> "the best step left brings less than the load varies by itself";
            case BUDGET -> "the budget of moves is used up";
            case STAGING -> "more weights would come to a rank than its staging memory holds";
            case REDUNDANCY -> "nobody needs a further replica, and each would read its expert's weights again";
            case UNKNOWN -> "a later release said why";
        };
    }

    /**
     * The whole explanation.
     *
     * @param window the newest window that it was made from, where the topics still have it
     * @param later decisions after it
     * @param top how many layers and moves are told
     */
    public static List<String> of(
            DecisionStory decision,
            Membership members,
            Optional<WindowSummary> window,
            List<DecisionStory> later,
            int top) {
        Explanation explanation = new Explanation(decision, members);
        explanation.lines.addAll(DecisionText.head(decision, members));
        explanation.whyNow();
        explanation.layers(top);
        explanation.moves(top);
        explanation.refused();
        explanation.data(window);
        explanation.since(later);
        return List.copyOf(explanation.lines);
    }

    private void whyNow() {
        lines.add("why now");
        lines.add("  " + propose.reason());
        lines.add(String.format(
                Locale.ROOT,
                "  balancedness %.3f in window %d; %.3f is expected after it, of load that the plan has not seen",
                propose.currentBalancedness(),
                propose.windowIndex(),
                propose.predictedBalancedness()));
        propose.step().map(StepPromise::summary).ifPresent(step -> lines.add("  promised: " + step));
        propose.inputs()
                .flatMap(PlanInputs::learned)
                .ifPresent(learned -> lines.add("  the gate knew: " + words(learned)));
    }

    private static String words(Learned learned) {
        return learned.decisions() == 0
                ? "no measured decision of this deployment yet; "
                        + learned.transfers().summary()
                : String.format(
                        Locale.ROOT,
                        "of %d measured decisions %.0f %% of the promises came%s; gains below %.2f %% cannot be told"
                                + " from none; %s",
                        learned.decisions(),
                        100 * learned.delivered(),
                        learned.lastingWindows().isPresent()
                                ? " and lasted " + learned.lastingWindows().getAsInt() + " windows"
                                : "",
                        100 * learned.noise(),
                        learned.transfers().summary());
    }

    private void layers(int top) {
        lines.add("which layers");
        PlanReasons reasons = propose.reasons();
        if (reasons.isEmpty()) {
            lines.add("  policy " + propose.policy() + " does not say why it moves what it moves");
            return;
        }
        Table table = new Table("LAYER", "BEFORE", "EXPECTED", "BOUND", "MOVES", "NO MORE MOVES BECAUSE");
        reasons.moved().entrySet().stream()
                .sorted(Comparator.comparingDouble(
                        entry -> entry.getValue().before() - entry.getValue().predicted()))
                .limit(top)
                .forEach(entry -> {
                    LayerReason reason = entry.getValue();
                    table.row(
                            DecisionText.layer(entry.getKey(), members),
                            number(reason.before()),
                            number(reason.predicted()),
                            number(reason.bound()),
                            reason.gains().size(),
                            stopped(reason));
                });
        lines.addAll(table.lines("  "));
        if (reasons.moved().size() > top) {
            lines.add("  and " + (reasons.moved().size() - top) + " layers more that gain less; --top tells more");
        }
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    private static String stopped(LayerReason reason) {
        return reason.stop() + ": " + rule(reason.stop())
                + (reason.refused() > 0
                        ? String.format(Locale.ROOT, " (%.0f %% of its price)", 100 * reason.refused())
                        : "");
    }

    private record Gained(Move move, double gain) {}

    private void moves(int top) {
        if (propose.reasons().isEmpty()) {
            return;
        }
        lines.add("top moves, with the balancedness of its layer that each brings");
        Map<String, Double> gains = new HashMap<>();
        propose.reasons()
                .moved()
                .forEach((layer, reason) ->
                        reason.gains().forEach(gain -> gains.put(layer + "/" + gain.slot(), gain.balancedness())));
        List<Gained> ordered = propose.moves().stream()
                .map(move -> new Gained(
                        move,
                        gains.getOrDefault(
                                move.layer().index() + "/" + move.slot().index(), 0.0)))
                .sorted(Comparator.comparingDouble(gained -> -gained.gain()))
                .toList();
        ordered.stream()
                .limit(top)
                .forEach(gained -> lines.add(String.format(
                        Locale.ROOT,
                        "  %+.4f  %s: %s",
                        gained.gain(),
                        DecisionText.layer(gained.move().layer().index(), members),
                        DecisionText.move(gained.move(), members))));
        if (ordered.isEmpty()) {
            lines.add("  none: slots only come into use or fall idle");
        } else if (ordered.size() > top) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  and %d more, together %+.4f",
                    ordered.size() - top,
                    ordered.stream().skip(top).mapToDouble(Gained::gain).sum()));
        }
    }

    private void refused() {
        lines.add("what was refused, by which rule");
        Map<Stop, Integer> kept = propose.reasons().kept();
        if (kept.isEmpty()) {
            lines.add(propose.reasons().isEmpty() ? "  not told" : "  no layer was left alone");
        }
        kept.forEach((stop, layers) -> lines.add("  " + layers + (layers == 1 ? " layer" : " layers") + " left as "
                + (layers == 1 ? "it is" : "they are") + ", " + stop + ": " + rule(stop)));
        lines.add(
                "  which steps within a layer were weighed and left is in no record: the table has the best one's part"
                        + " of its price");
    }

    private void data(Optional<WindowSummary> window) {
        lines.add("how complete the data was");
        lines.add("  "
                + window.map(WindowText::completeness)
                        .orElse("window " + propose.windowIndex() + " is not in the topics any more"));
        propose.inputs()
                .ifPresentOrElse(
                        inputs -> lines.add(String.format(
                                Locale.ROOT,
                                "  planned from %d complete windows of %.1f s, %d to %d; %s",
                                inputs.windows(),
                                inputs.windowTimeMillis() / 1e3,
                                inputs.oldestWindow(),
                                propose.windowIndex(),
                                inputs.unjudged().isEmpty()
                                        ? "none was passed over since the decision before"
                                        : inputs.unjudged().size()
                                                + " complete ones since the decision before were not judged: "
                                                + inputs.unjudged())),
                        () -> lines.add("  which windows it was planned from is not told"));
    }

    private void since(List<DecisionStory> later) {
        lines.add("what happened since");
        lines.addAll(DecisionText.happened(decision, members));
        decision.outcome()
                .map(Outcome::summary)
                .ifPresentOrElse(
                        outcome -> lines.add("  measured: " + outcome),
                        () -> lines.add(
                                decision.batchesSettled() > 0
                                        ? "  measured: nothing yet; the first complete window wholly under it tells"
                                        : "  nothing to be measured: none of it is in the placement"));
        for (DecisionStory other : later) {
            Propose next = other.proposed().value();
            if (next.policy().equals(Rollback.POLICY) && next.basedOn() >= decision.epoch()) {
                lines.add("  rolled back by decision " + other.epoch() + " (" + other.state() + "): " + next.reason());
            }
        }
        if (!later.isEmpty()) {
            lines.add("  " + later.size() + " decisions were made after it; the newest is "
                    + DecisionText.brief(later.get(later.size() - 1)));
        }
    }
}
