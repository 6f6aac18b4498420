package dev.plimsoll.replay.score;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.score.Pareto.Point;
import dev.plimsoll.replay.score.PeerComparison.Average;
import dev.plimsoll.replay.score.PeerComparison.Duel;
import dev.plimsoll.replay.score.PeerComparison.Line;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The result of {@code plimsoll bench planner --peers}.
 *
 * @param arguments what takes it again
 */
public record PeerReport(String policy, PeerComparison comparison, String arguments, Machine machine) {
    /** Moved share above which a run is named. */
    private static final double MANY_MOVES = 0.20;

    private static final List<String> HEAD = List.of(
            "workload",
            "ranks+redundant/nodes",
            "windows",
            "next",
            "p5",
            "moved",
            "first",
            "ms/layer",
            "best public",
            "next",
            "moved",
            "ours +",
            "best at ≤ moves",
            "next",
            "moved",
            "ours +");
    private static final List<String> AVERAGES =
            List.of("planner", "runs", "stopped", "next", "moved", "ours", "ours moved", "ours +", "ours ahead in");

    /** Lines for people. */
    public String text() {
        return runs().text() + System.lineSeparator() + averages().text() + System.lineSeparator() + summary("");
    }

    /** For a document. */
    public String markdown() {
        return runs().markdown()
                + System.lineSeparator()
                + averages().markdown()
                + System.lineSeparator()
                + summary("* ");
    }

    /** One line of JSON. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("policy", policy);
        ArrayNode array = root.putArray("runs");
        for (Line line : comparison.lines()) {
            ObjectNode node = names(array.addObject(), line)
                    .put("windowsScored", line.ours().windowsScored());
            PlannerBenchReport.put(node, line.ours());
            put(node.putObject("bestPublic"), line.best());
            line.bestAtOurMoves()
                    .ifPresentOrElse(
                            duel -> put(node.putObject("bestPublicAtOurMoves"), duel),
                            () -> node.putNull("bestPublicAtOurMoves"));
        }
        ArrayNode averages = root.putArray("averages");
        for (Average average : comparison.averages()) {
            ObjectNode node = averages.addObject()
                    .put("policy", average.policy())
                    .put("runs", average.runs())
                    .put("stopped", average.stopped());
            Decimals.put(node, "next", average.next(), Decimals.PLACES);
            Decimals.put(node, "movedShare", average.movedShare(), Decimals.PLACES);
            Decimals.put(node, "ours", average.ours(), Decimals.PLACES);
            Decimals.put(node, "ourMovedShare", average.ourMovedShare(), Decimals.PLACES);
            node.put("oursAheadIn", average.aheadOf());
        }
        ObjectNode summary = root.putObject("summary");
        summary.put("runs", comparison.lines().size()).put("ahead", comparison.ahead());
        Line worst = comparison.worst();
        put(names(summary.putObject("worst"), worst), worst.best());
        Decimals.put(summary, "next", comparison.meanNext(), Decimals.PLACES);
        Decimals.put(summary, "movedShare", comparison.meanMovedShare(), Decimals.PLACES);
        ArrayNode many = summary.putArray("movingMoreThan20Percent");
        comparison
                .movingMoreThan(MANY_MOVES)
                .forEach(line -> Decimals.put(
                        names(many.addObject(), line), "movedShare", line.ours().movedShare(), Decimals.PLACES));
        root.put("arguments", arguments);
        machine.put(root.putObject("machine"));
        return PlannerBenchReport.line(root);
    }

    /** Means of ours and of the planners that scored all windows of all runs: only those are means of the same. */
    public ParetoChart chart() {
        List<Point> points = new ArrayList<>();
        points.add(new Point(policy, comparison.meanMovedShare(), comparison.meanNext()));
        comparison.averages().stream()
                .filter(average -> average.runs() == comparison.lines().size() && average.stopped() == 0)
                .forEach(average -> points.add(new Point(average.policy(), average.movedShare(), average.next())));
        return new ParetoChart("mean over " + comparison.lines().size() + " runs", points);
    }

    private static ObjectNode names(ObjectNode node, Line line) {
        EpConfiguration ep = line.run().configuration();
        return node.put("workload", line.run().workload())
                .put("ranks", ep.ranks())
                .put("redundant", ep.redundant())
                .put("nodes", ep.nodes());
    }

    private static void put(ObjectNode node, Duel duel) {
        node.put("policy", duel.peer().policy())
                .put("windowsScored", duel.peer().windowsScored());
        Decimals.put(node, "next", duel.peer().next(), Decimals.PLACES);
        Decimals.put(node, "movedShare", duel.peer().movedShare(), Decimals.PLACES);
        Decimals.put(node, "ours", duel.next(), Decimals.PLACES);
        Decimals.put(node, "ourMovedShare", duel.movedShare(), Decimals.PLACES);
        Decimals.put(node, "difference", duel.difference(), Decimals.PLACES);
    }

    private Table runs() {
        return new Table(HEAD, comparison.lines().stream().map(this::row).toList(), 2);
    }

    private List<String> row(Line line) {
        PlannerScores ours = line.ours();
        Duel best = line.best();
        Optional<Duel> atOurMoves = line.bestAtOurMoves();
        return List.of(
                shortName(line),
                ep(line),
                Integer.toString(ours.windowsScored()),
                balancedness(ours.next()),
                balancedness(ours.nextP05()),
                percent(ours.movedShare()),
                Decimals.text("%.1f", ours.movesFirst()),
                Decimals.text("%.3f", ours.millisPerLayer(0.5)),
                name(best, ours),
                balancedness(best.peer().next()),
                percent(best.peer().movedShare()),
                difference(best.difference()),
                cell(atOurMoves, duel -> name(duel, ours)),
                cell(atOurMoves, duel -> balancedness(duel.peer().next())),
                cell(atOurMoves, duel -> percent(duel.peer().movedShare())),
                cell(atOurMoves, duel -> difference(duel.difference())));
    }

    /** With the number of windows that are compared, where these are not all. */
    private static String name(Duel duel, PlannerScores ours) {
        int windows = duel.peer().windowsScored();
        return duel.peer().policy() + (windows < ours.windowsScored() ? " (first " + windows + ")" : "");
    }

    private static String cell(Optional<Duel> duel, Function<Duel, String> text) {
        return duel.map(text).orElse("–");
    }

    private Table averages() {
        List<List<String>> rows = comparison.averages().stream()
                .map(average -> List.of(
                        average.policy(),
                        Integer.toString(average.runs()),
                        Integer.toString(average.stopped()),
                        balancedness(average.next()),
                        percent(average.movedShare()),
                        balancedness(average.ours()),
                        percent(average.ourMovedShare()),
                        difference(average.ours() - average.next()),
                        Integer.toString(average.aheadOf())))
                .toList();
        return new Table(AVERAGES, rows, 1);
    }

    private String summary(String bullet) {
        Line worst = comparison.worst();
        List<Line> many = comparison.movingMoreThan(MANY_MOVES);
        List<String> lines = List.of(
                policy + " is ahead of every public planner in " + comparison.ahead() + " of "
                        + comparison.lines().size() + " runs",
                "least ahead: " + difference(worst.best().difference()) + " against " + name(worst.best(), worst.ours())
                        + " on " + shortName(worst) + " " + ep(worst),
                "mean over runs: next " + balancedness(comparison.meanNext()) + ", moved "
                        + percent(comparison.meanMovedShare()),
                "runs with more than " + percent(MANY_MOVES) + " moved: "
                        + (many.isEmpty()
                                ? "none"
                                : many.stream()
                                        .map(line -> shortName(line) + " " + ep(line) + " ("
                                                + percent(line.ours().movedShare()) + ")")
                                        .collect(Collectors.joining(", "))),
                "invalid plans: "
                        + comparison.lines().stream()
                                .mapToInt(line -> line.ours().invalid())
                                .sum(),
                "a planner that was stopped early is compared over the windows that it scored",
                "ours: " + machine.line(),
                "again: plimsoll bench planner " + arguments);
        return lines.stream()
                .collect(Collectors.joining(System.lineSeparator() + bullet, bullet, System.lineSeparator()));
    }

    private static String shortName(Line line) {
        return line.run().workload().replaceFirst("\\.npy(\\.gz)?$", "");
    }

    private static String ep(Line line) {
        EpConfiguration ep = line.run().configuration();
        return ep.ranks() + "+" + ep.redundant() + "/" + ep.nodes();
    }

    private static String balancedness(double value) {
        return Decimals.text("%.4f", value);
    }

    private static String difference(double value) {
        return Decimals.text("%+.4f", value);
    }

    private static String percent(double share) {
        return Decimals.text("%.1f %%", share * 100);
    }
}
