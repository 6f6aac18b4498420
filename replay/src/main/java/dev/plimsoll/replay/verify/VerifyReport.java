package dev.plimsoll.replay.verify;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.source.PastDecision;
import dev.plimsoll.replay.verify.Finding.Different;
import dev.plimsoll.replay.verify.Finding.Expired;
import dev.plimsoll.replay.verify.Finding.Explanation;
import dev.plimsoll.replay.verify.Finding.Reproduced;
import dev.plimsoll.replay.verify.Finding.Unchecked;
import dev.plimsoll.replay.verify.Finding.Undecided;
import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.TreeMap;

/** What a verification found, finding by finding and in numbers, for people and for programs. */
public final class VerifyReport {
    private static final String NO_CONTROL = "the control log was not checked: the cluster has no "
            + Topic.CONTROL.name() + ", as those of earlier releases";
    private static final String EXPIRED = "they were made from windows that have expired";

    private final ArrayNode findings = JsonNodeFactory.instance.arrayNode();
    private final Map<Explanation, Integer> undecided = new EnumMap<>(Explanation.class);
    private final Map<String, Integer> uncheckedReasons = new TreeMap<>();
    private int reproduced;
    private int different;
    private int unchecked;
    private Optional<String> control = Optional.empty();
    private List<String> controlFaults = List.of();

    /** Counts a finding and says it in one line. */
    public String add(Finding finding) {
        ObjectNode node = findings.addObject();
        if (finding instanceof Undecided window) {
            undecided.merge(window.explanation(), 1, Integer::sum);
            node.put("window", window.windowIndex())
                    .put("result", "undecided")
                    .put("explanation", window.explanation().name())
                    .put("detail", window.detail());
            return "window " + window.windowIndex() + ": " + words(window.explanation()) + ": " + window.detail();
        }
        if (finding instanceof Reproduced same) {
            reproduced++;
            decision(node, same.decision()).put("result", "reproduced").put("detail", same.note());
            return line(same.decision())
                    + String.format(
                            Locale.ROOT,
                            "reproduced, %d moves%s in %d batches, hash %s",
                            same.decision().propose().moves().size(),
                            switches(same.decision().propose().switches()),
                            same.decision().propose().batches().size(),
                            PlanComparison.hex(same.decision().propose().planHash()))
                    + (same.note().isEmpty() ? "" : " (" + same.note() + ")");
        }
        if (finding instanceof Different other) {
            different++;
            decision(node, other.decision())
                    .put("result", "different")
                    .put("first", other.first().name())
                    .put("detail", other.detail());
            return line(other.decision()) + "DIFFERENT, first by "
                    + other.first().words() + ": " + other.detail();
        }
        if (finding instanceof Expired gone) {
            unchecked += gone.decisions();
            uncheckedReasons.merge(EXPIRED, gone.decisions(), Integer::sum);
            node.put("result", "unchecked")
                    .put("decisions", gone.decisions())
                    .put("firstDecision", gone.firstEpoch())
                    .put("decision", gone.lastEpoch())
                    .put("detail", EXPIRED);
            return gone.decisions() + " decisions, " + gone.firstEpoch() + " to " + gone.lastEpoch()
                    + ": cannot be checked: " + EXPIRED;
        }
        Unchecked open = (Unchecked) finding;
        unchecked++;
        uncheckedReasons.merge(open.reason(), 1, Integer::sum);
        decision(node, open.decision()).put("result", "unchecked").put("detail", open.reason());
        return line(open.decision()) + "cannot be checked: " + open.reason();
    }

    /** What was found of the control log, and how much it was held against. */
    public List<String> control(List<String> faults, String summary) {
        controlFaults = List.copyOf(faults);
        control = Optional.of(summary);
        return faults.stream()
                .map(fault -> "DIFFERENT by the control log: " + fault)
                .toList();
    }

    private static String switches(int count) {
        return count == 0 ? "" : ", " + count + " switches";
    }

    private static String line(PastDecision decision) {
        return "decision " + decision.epoch() + " on window " + decision.windowIndex() + " (" + decision.fate() + "): ";
    }

    private static ObjectNode decision(ObjectNode node, PastDecision decision) {
        return node.put("decision", decision.epoch())
                .put("window", decision.windowIndex())
                .put("fate", decision.fate())
                .put("moves", decision.propose().moves().size())
                .put("switches", decision.propose().switches())
                .put("planHash", PlanComparison.hex(decision.propose().planHash()));
    }

    private static String words(Explanation explanation) {
        return switch (explanation) {
            case NOT_JUDGED -> "would be decided on, and no verdict was found on it then";
            case NOT_TOLD -> "would be decided on, and the log cannot tell whether it was judged";
            case NONE -> "DIFFERENT, would be decided on, and was judged otherwise then";
        };
    }

    private int undecided(Explanation explanation) {
        return undecided.getOrDefault(explanation, 0);
    }

    private int differences() {
        return different + undecided(Explanation.NONE);
    }

    /** Whether no difference was found, of the control log neither, and something was checked unless there was nothing to check. */
    public boolean holds() {
        return differences() == 0 && controlFaults.isEmpty() && (unchecked == 0 || reproduced > 0);
    }

    /** All in numbers, a few lines. */
    public List<String> summary(Tally tally) {
        List<String> lines = new ArrayList<>();
        int decisions = reproduced + different + unchecked;
        lines.add(reproduced + " of " + decisions + " decisions reproduced"
                + (different > 0 ? ", " + different + " different" : "")
                + (unchecked > 0 ? ", " + unchecked + " that cannot be checked" : ""));
        uncheckedReasons.forEach((reason, count) -> lines.add("  " + count + " cannot be checked: " + reason));
        StringJoiner kinds = new StringJoiner(", ");
        new TreeMap<>(tally.counts()).forEach((kind, count) -> kinds.add(count + " " + words(kind)));
        lines.add(tally.total() + " windows without a decision" + (tally.total() > 0 ? ": " + kinds : ""));
        if (tally.of(Tally.Window.WOULD_DECIDE) > 0) {
            lines.add("  of those that would be decided on, on " + undecided(Explanation.NOT_JUDGED)
                    + " no verdict was found then, of " + undecided(Explanation.NOT_TOLD)
                    + " the log cannot tell, and " + undecided(Explanation.NONE) + " were judged otherwise");
        }
        lines.add(control.map(summary ->
                        (controlFaults.isEmpty() ? "" : controlFaults.size() + " faults of the control log: ")
                                + summary)
                .orElse(NO_CONTROL));
        return lines;
    }

    private static String words(Tally.Window kind) {
        return switch (kind) {
            case AGREED -> "kept by both";
            case UNUSABLE -> "not usable";
            case COLD -> "too early in the incarnation";
            case IN_FLIGHT -> "with a decision in flight";
            case COOLDOWN -> "in cooldown";
            case BACK_OFF -> "in the pause after decisions that came to nothing";
            case NO_SETTINGS -> "before a term whose settings are known";
            case OBSERVE_ONLY -> "of ranks that cannot vote";
            case UNKNOWN_PLACEMENT -> "under a placement that is not known";
            case WOULD_DECIDE -> "would be decided on here";
            case LEFT_OUT -> "left out";
        };
    }

    /** All of it. */
    public ObjectNode json(Tally tally) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("holds", holds())
                .put("reproduced", reproduced)
                .put("different", different)
                .put("unchecked", unchecked);
        ObjectNode windows = root.putObject("windowsWithoutDecision");
        for (Tally.Window kind : Tally.Window.values()) {
            windows.put(kind.name(), tally.of(kind));
        }
        ObjectNode explained = root.putObject("wouldDecide");
        for (Explanation explanation : Explanation.values()) {
            explained.put(explanation.name(), undecided(explanation));
        }
        ObjectNode ofControl = root.putObject("control");
        ofControl.put("checked", control.isPresent()).put("summary", control.orElse(NO_CONTROL));
        var wrong = ofControl.putArray("faults");
        controlFaults.forEach(wrong::add);
        root.set("findings", findings);
        return root;
    }
}
