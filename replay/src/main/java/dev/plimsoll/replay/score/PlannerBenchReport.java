package dev.plimsoll.replay.score;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.score.Pareto.Point;
import java.util.List;
import java.util.Locale;

/**
 * The result of {@code plimsoll bench planner} on one workload.
 *
 * @param policies at least one, in the order they were asked for
 * @param arguments what takes it again
 */
public record PlannerBenchReport(
        String workload,
        EpConfiguration configuration,
        List<PlannerScores> policies,
        String arguments,
        Machine machine) {
    public PlannerBenchReport {
        policies = List.copyOf(policies);
    }

    /** One line of JSON. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("workload", workload)
                .put("ranks", configuration.ranks())
                .put("redundant", configuration.redundant())
                .put("nodes", configuration.nodes())
                .put("windowsScored", policies.get(0).windowsScored());
        ArrayNode array = root.putArray("policies");
        for (PlannerScores scores : policies) {
            ObjectNode node = array.addObject().put("policy", scores.policy());
            put(node, scores);
        }
        root.put("arguments", arguments);
        machine.put(root.putObject("machine"));
        return line(root);
    }

    /** A policy's numbers under the names that the peers' scores have. */
    static void put(ObjectNode node, PlannerScores scores) {
        Decimals.put(node, "next", scores.next(), Decimals.PLACES);
        Decimals.put(node, "nextP05", scores.nextP05(), Decimals.PLACES);
        Decimals.put(node, "inSample", scores.inSample(), Decimals.PLACES);
        Decimals.put(node, "movesFirst", scores.movesFirst(), Decimals.MOVES);
        Decimals.put(node, "movesSteady", scores.movesSteady(), Decimals.MOVES);
        Decimals.put(node, "movedShare", scores.movedShare(), Decimals.PLACES);
        node.put("maxIntoRank", scores.maxIntoRank());
        ObjectNode millis = node.putObject("millisPerLayer");
        Decimals.put(millis, "p50", scores.millisPerLayer(0.5), Decimals.PLACES);
        Decimals.put(millis, "p99", scores.millisPerLayer(0.99), Decimals.PLACES);
        node.put("invalid", scores.invalid());
    }

    static String line(ObjectNode root) {
        try {
            return new ObjectMapper()
                    .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
                    .writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }

    /** Lines for people: a table and a picture of balancedness against moves. */
    public String text() {
        int longest = policies.stream()
                .mapToInt(scores -> scores.policy().length())
                .max()
                .orElse(0);
        String name = "  %-" + Math.max(longest, 6) + "s";
        boolean[] front = Pareto.front(points());
        StringBuilder text = new StringBuilder();
        text.append(title())
                .append(", ")
                .append(policies.get(0).windowsScored())
                .append(" windows scored")
                .append(System.lineSeparator());
        text.append(String.format(
                name + " %7s %7s %9s %9s %9s %8s %11s %9s %9s %7s%n",
                "",
                "next",
                "p5",
                "in-sample",
                "moves",
                "moves",
                "moved",
                "into rank",
                "ms/layer",
                "ms/layer",
                "invalid"));
        text.append(String.format(
                name + " %7s %7s %9s %9s %9s %8s %11s %9s %9s %7s%n",
                "policy",
                "",
                "",
                "",
                "first",
                "later",
                "later",
                "first later",
                "p50",
                "p99",
                "plans"));
        for (int i = 0; i < policies.size(); i++) {
            PlannerScores scores = policies.get(i);
            text.append(String.format(
                    Locale.ROOT,
                    "%c " + name.substring(2) + " %7s %7s %9s %9s %9s %8s %5d %5d %9s %9s %7d%s%n",
                    ParetoChart.letter(i),
                    scores.policy(),
                    Decimals.text("%.4f", scores.next()),
                    Decimals.text("%.4f", scores.nextP05()),
                    Decimals.text("%.4f", scores.inSample()),
                    Decimals.text("%.2f", scores.movesFirst()),
                    Decimals.text("%.2f", scores.movesSteady()),
                    Decimals.text("%.2f %%", scores.movedShare() * 100),
                    scores.plans().get(0).intoRank(),
                    scores.maxIntoRankSteady(),
                    Decimals.text("%.4f", scores.millisPerLayer(0.5)),
                    Decimals.text("%.4f", scores.millisPerLayer(0.99)),
                    scores.invalid(),
                    front[i] ? "  on the front" : ""));
        }
        return text.append(System.lineSeparator()).append(chart().text()).toString();
    }

    /** Two lines for people, the same for all workloads of a run. */
    public String howTaken() {
        return machine.line() + System.lineSeparator() + "again: plimsoll bench planner " + arguments;
    }

    /** Balancedness against moves. */
    public ParetoChart chart() {
        return new ParetoChart(title(), points());
    }

    private String title() {
        return workload + ", " + configuration;
    }

    private List<Point> points() {
        return policies.stream()
                .map(scores -> new Point(scores.policy(), scores.movedShare(), scores.next()))
                .toList();
    }
}
