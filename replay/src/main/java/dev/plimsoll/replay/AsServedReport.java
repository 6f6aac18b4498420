package dev.plimsoll.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.score.Decimals;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.Table;
import java.util.ArrayList;
import java.util.List;

/**
 * The result of {@code plimsoll bench planner --as-served}.
 *
 * @param lines one for each workload and configuration, in order, at least one
 */
public record AsServedReport(List<Line> lines) {
    /**
     * A workload spread in one way.
     *
     * @param unmoved what it comes to where nothing moves
     * @param served by each policy, in the order they were asked for; the same policies in all lines
     */
    public record Line(
            String workload, EpConfiguration configuration, AsServedScores unmoved, List<AsServedScores> served) {
        public Line {
            served = List.copyOf(served);
        }
    }

    private static final List<String> HEAD = List.of(
            "workload",
            "policy",
            "ranks + slots",
            "static",
            "mean",
            "decisions",
            "later",
            "gained",
            "kept",
            "gain of later",
            "moves first",
            "moves later",
            "moves per 0.01");

    public AsServedReport {
        lines = List.copyOf(lines);
    }

    /** Lines for people. */
    public String text() {
        return new Table(HEAD, rows(), 2).text();
    }

    /** The same for a page. */
    public String markdown() {
        return new Table(HEAD, rows(), 2).markdown();
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        for (Line line : lines) {
            for (AsServedScores served : line.served()) {
                rows.add(row(
                        line.workload(),
                        line.configuration().ranks() + " + "
                                + line.configuration().redundant(),
                        line.unmoved().balancedness(),
                        served,
                        served.movesPerPoint(line.unmoved())));
            }
        }
        for (int policy = 0; policy < lines.get(0).served().size(); policy++) {
            rows.add(row(
                    "all",
                    lines.size() + (lines.size() == 1 ? " run" : " runs"),
                    unmoved(),
                    all(policy),
                    movesPerPoint(policy)));
        }
        return rows;
    }

    private static List<String> row(
            String workload, String configuration, double unmoved, AsServedScores served, double movesPerPoint) {
        return List.of(
                workload,
                served.policy(),
                configuration,
                Decimals.text("%.3f", unmoved),
                Decimals.text("%.4f", served.balancedness()),
                Integer.toString(served.decisions()),
                Integer.toString(served.laterMeasured()),
                Integer.toString(served.laterGained()),
                Integer.toString(served.laterKept()),
                Decimals.text("%.2f %%", 100 * served.laterGain()),
                Long.toString(served.moves() - served.laterMoves()),
                Long.toString(served.laterMoves()),
                Decimals.text("%.1f", movesPerPoint));
    }

    private double unmoved() {
        return lines.stream()
                .mapToDouble(line -> line.unmoved().balancedness())
                .average()
                .orElseThrow();
    }

    /** A policy's scores over all lines: balancedness and gain on average, the others added up. */
    AsServedScores all(int policy) {
        List<AsServedScores> of =
                lines.stream().map(line -> line.served().get(policy)).toList();
        int measured = of.stream().mapToInt(AsServedScores::laterMeasured).sum();
        double gains = of.stream()
                .filter(scores -> scores.laterMeasured() > 0)
                .mapToDouble(scores -> scores.laterGain() * scores.laterMeasured())
                .sum();
        return new AsServedScores(
                of.get(0).policy(),
                of.stream().mapToInt(AsServedScores::windows).sum(),
                of.stream().mapToDouble(AsServedScores::balancedness).average().orElseThrow(),
                of.stream().mapToInt(AsServedScores::decisions).sum(),
                measured,
                of.stream().mapToInt(AsServedScores::laterGained).sum(),
                of.stream().mapToInt(AsServedScores::laterKept).sum(),
                measured == 0 ? Double.NaN : gains / measured,
                of.stream().mapToLong(AsServedScores::laterMoves).sum(),
                of.stream().mapToLong(AsServedScores::moves).sum());
    }

    /** All moves of a policy ÷ all that it gained in balancedness against not moving, in steps of 0.01. */
    double movesPerPoint(int policy) {
        double points = 0;
        for (Line line : lines) {
            points += 100
                    * (line.served().get(policy).balancedness() - line.unmoved().balancedness());
        }
        return points > 0 ? all(policy).moves() / points : Double.NaN;
    }

    /** A line of JSON for each line, and one for all of them. */
    public List<String> json() {
        List<String> json = new ArrayList<>();
        for (Line line : lines) {
            ObjectNode root = JsonNodeFactory.instance
                    .objectNode()
                    .put("workload", line.workload())
                    .put("ranks", line.configuration().ranks())
                    .put("redundant", line.configuration().redundant())
                    .put("nodes", line.configuration().nodes());
            Decimals.put(root, "static", line.unmoved().balancedness());
            var policies = root.putArray("policies");
            line.served().forEach(served -> put(policies.addObject(), served, served.movesPerPoint(line.unmoved())));
            json.add(line(root));
        }
        ObjectNode root =
                JsonNodeFactory.instance.objectNode().put("workload", "all").put("runs", lines.size());
        Decimals.put(root, "static", unmoved());
        var policies = root.putArray("policies");
        for (int policy = 0; policy < lines.get(0).served().size(); policy++) {
            put(policies.addObject(), all(policy), movesPerPoint(policy));
        }
        json.add(line(root));
        return json;
    }

    private static void put(ObjectNode node, AsServedScores served, double movesPerPoint) {
        node.put("policy", served.policy());
        Decimals.put(node, "balancedness", served.balancedness());
        node.put("decisions", served.decisions())
                .put("laterMeasured", served.laterMeasured())
                .put("laterGained", served.laterGained())
                .put("laterKept", served.laterKept());
        Decimals.put(node, "laterGain", served.laterGain());
        node.put("movesFirst", served.moves() - served.laterMoves()).put("movesLater", served.laterMoves());
        Decimals.put(node, "movesPer0.01", movesPerPoint);
    }

    private static String line(ObjectNode root) {
        try {
            return new ObjectMapper().writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }
}
