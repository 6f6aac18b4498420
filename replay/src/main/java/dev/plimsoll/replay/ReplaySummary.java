package dev.plimsoll.replay;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.score.Decimals;
import dev.plimsoll.replay.score.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What a replay found, in a few lines: a row for what really happened, where that is known, and for each run. */
public final class ReplaySummary {
    private static final double MEGA = 1e6;

    private final ReplayResult result;
    private final List<PolicyRun> runs;
    private final Map<PolicyRun, Integer> bestIn = new HashMap<>();

    public ReplaySummary(ReplayResult result) {
        this.result = result;
        this.runs =
                Stream.concat(result.live().stream(), result.runs().stream()).toList();
        countBest();
    }

    /**
     * Windows in which no run on as many ranks was balanced better, as fewer ranks are more even by themselves; those of equal balance
     * count for all that have it.
     */
    private void countBest() {
        Map<Integer, Map<Long, Double>> bestOn = new HashMap<>();
        for (PolicyRun run : runs) {
            Map<Long, Double> best = bestOn.computeIfAbsent(run.ranks(), ranks -> new HashMap<>());
            for (ServedWindow window : run.served()) {
                if (Double.isFinite(window.mean())) {
                    best.merge(window.index(), window.mean(), Math::max);
                }
            }
        }
        for (PolicyRun run : runs) {
            Map<Long, Double> best = bestOn.getOrDefault(run.ranks(), Map.of());
            bestIn.put(run, (int) run.served().stream()
                    .filter(window -> Double.isFinite(window.mean())
                            && window.mean() >= best.getOrDefault(window.index(), Double.NaN))
                    .count());
        }
    }

    private static double worst(PolicyRun run) {
        return run.served().stream()
                .mapToDouble(ServedWindow::mean)
                .filter(Double::isFinite)
                .min()
                .orElse(Double.NaN);
    }

    private static double movesPerDecision(PolicyRun run) {
        return run.decisions().isEmpty()
                ? 0
                : (double) run.moves() / run.decisions().size();
    }

    /** For a terminal. */
    public String text() {
        boolean timed = runs.stream().anyMatch(run -> Double.isFinite(run.meanExpertMicros()));
        List<List<String>> rows = new ArrayList<>();
        for (PolicyRun run : runs) {
            List<String> row = new ArrayList<>(List.of(run.name(), run.ranks() + " + " + run.redundant()));
            if (timed) {
                row.add(Decimals.text("%.3f", run.meanExpertMicros() / 1e3));
            }
            row.addAll(List.of(
                    Decimals.text("%.3f", run.meanBalancedness()),
                    Decimals.text("%.3f", worst(run)),
                    Integer.toString(run.decisions().size()),
                    Decimals.text("%.1f", movesPerDecision(run)),
                    // An expert's size may not be known.
                    Decimals.text("%.1f", run.bytes() == 0 && run.moves() > 0 ? Double.NaN : run.bytes() / MEGA),
                    run.served().isEmpty() ? "–" : Integer.toString(bestIn.getOrDefault(run, 0))));
            rows.add(row);
        }
        List<String> head = new ArrayList<>(List.of("POLICY", "RANKS + SLOTS"));
        if (timed) {
            head.add("EXPERTS MS");
        }
        head.addAll(List.of("MEAN", "WORST", "DECISIONS", "MOVES EACH", "MB", "BEST IN"));
        Table table = new Table(head, rows, 2);
        long usable = result.windows().stream().filter(PastWindow::usable).count();
        return usable + " of " + result.windows().size() + " windows replayed"
                + (result.gaps().isEmpty()
                        ? ""
                        : ", " + result.gaps().size() + (result.gaps().size() == 1 ? " gap" : " gaps"))
                + (timed ? "; EXPERTS MS is what experts take of a step, by the device profile" : "")
                + "; MEAN and WORST are of the windows' balancedness (mean ÷ max rank load,"
                + " mean over layers), BEST IN is among runs on as many ranks\n\n"
                + table.text();
    }

    /** One line of JSON for programs. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("source", result.provenance().source());
        root.put("manifestHash", result.provenance().manifestHash());
        root.put("windows", result.windows().size());
        root.put("usable", result.windows().stream().filter(PastWindow::usable).count());
        root.put("gaps", result.gaps().size());
        ArrayNode all = root.putArray("runs");
        for (PolicyRun run : runs) {
            ObjectNode node = all.addObject();
            node.put("policy", run.name());
            node.put("ranks", run.ranks());
            node.put("redundant", run.redundant());
            node.put("nodes", run.nodes());
            Decimals.put(node, "expertMicros", run.meanExpertMicros());
            Decimals.put(node, "meanBalancedness", run.meanBalancedness());
            Decimals.put(node, "worstBalancedness", worst(run));
            node.put("decisions", run.decisions().size());
            node.put("moves", run.moves());
            node.put("bytes", run.bytes());
            node.put("bestIn", bestIn.getOrDefault(run, 0));
        }
        return root.toString();
    }
}
