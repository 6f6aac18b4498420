package dev.plimsoll.replay.score.time;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.Topology;
import dev.plimsoll.replay.score.Decimals;
import dev.plimsoll.replay.score.Table;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What redundant slots bring and cost, for one number of tokens per step.
 *
 * @param reports of one contender, by ascending redundant slots, otherwise of the same
 * @param experts of a layer
 * @param bytesPerExpert weights of an expert in one layer, where they are known
 * @param withinPercent of the best that the knee may be above
 */
public record RedundancyReport(
        List<TimeReport> reports, int layers, int experts, OptionalLong bytesPerExpert, double withinPercent) {
    private static final List<String> HEAD = List.of(
            "redundant",
            "slots a rank",
            "GiB a rank",
            "of it redundant",
            "µs/step",
            "p99",
            "against none",
            "moved",
            "first",
            "idle",
            "bound",
            "");

    public RedundancyReport {
        reports = List.copyOf(reports);
        if (reports.isEmpty()) {
            throw new IllegalArgumentException("needs a number of redundant slots");
        }
    }

    /** Redundant slots beyond which no more is worth its memory: {@link Knee}. */
    public int knee() {
        return Knee.of(
                reports.stream()
                        .map(report -> report.configuration().redundant())
                        .toList(),
                reports.stream().map(report -> line(report).mean()).toList(),
                withinPercent);
    }

    private static TimeScores line(TimeReport report) {
        return report.lines().get(0);
    }

    private int slotsPerRank(TimeReport report) {
        Topology topology = report.configuration().topology(experts);
        return topology.slotsPerRank();
    }

    /** Weights of a rank in all layers. */
    private double bytes(double slotsPerRank) {
        return bytesPerExpert.isPresent() ? slotsPerRank * layers * bytesPerExpert.getAsLong() : Double.NaN;
    }

    private double redundantBytes(TimeReport report) {
        return bytes((double) report.configuration().redundant()
                / report.configuration().ranks());
    }

    /** One line of JSON. */
    public String json() {
        TimeReport first = reports.get(0);
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        first.subject().put(root);
        root.put("ranks", first.configuration().ranks())
                .put("nodes", first.configuration().nodes())
                .put("profile", first.profile())
                .put("windows", first.windows())
                .put("policy", line(first).contender().name())
                .put("objective", line(first).contender().objective().name());
        ArrayNode rows = root.putArray("redundancy");
        for (TimeReport report : reports) {
            TimeScores line = line(report);
            ObjectNode row = rows.addObject()
                    .put("redundant", report.configuration().redundant())
                    .put("slotsPerRank", slotsPerRank(report));
            Decimals.put(row, "weightBytesPerRank", bytes(slotsPerRank(report)), 0);
            Decimals.put(row, "redundantBytesPerRank", redundantBytes(report), 0);
            TimeReport.put(row, line, report.bound());
        }
        root.put("withinPercent", withinPercent).put("knee", knee());
        return TimeReport.json(root);
    }

    /** A table for people, and a sentence. */
    public String text() {
        return title() + System.lineSeparator() + table().text() + sentence() + System.lineSeparator();
    }

    /** The same for a page. */
    public String markdown() {
        return title() + ":" + System.lineSeparator() + System.lineSeparator() + table().markdown()
                + System.lineSeparator() + sentence() + System.lineSeparator();
    }

    private String title() {
        TimeReport first = reports.get(0);
        return first.subject().name() + ", " + first.subject().batchText() + ", "
                + first.configuration().ranks() + " ranks, " + first.profile() + ", "
                + line(first).contender().name() + " by "
                + line(first).contender().objective().name()
                + (line(first).contender().idleSlots() ? " with idle slots" : "");
    }

    private String sentence() {
        return "knee: " + knee() + " redundant slots, the fewest within "
                + String.format(Locale.ROOT, "%s %%", number(withinPercent)) + " of the best of these";
    }

    private static String number(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }

    private Table table() {
        double none = line(reports.get(0)).mean();
        List<List<String>> rows = new ArrayList<>();
        for (TimeReport report : reports) {
            TimeScores line = line(report);
            rows.add(List.of(
                    Integer.toString(report.configuration().redundant()),
                    Integer.toString(slotsPerRank(report)),
                    gib(bytes(slotsPerRank(report))),
                    gib(redundantBytes(report)),
                    TimeReport.micros(line.mean()),
                    TimeReport.micros(line.summary().p99()),
                    Decimals.text("%+.1f %%", (line.mean() / none - 1) * 100),
                    Decimals.text("%.1f %%", line.movedShare() * 100),
                    Decimals.text("%.1f", line.movesFirst()),
                    Decimals.text("%.1f %%", line.idleShare() * 100),
                    TimeReport.micros(report.bound()),
                    report.configuration().redundant() == knee() ? "knee" : ""));
        }
        List<String> head = new ArrayList<>(HEAD);
        if (reports.get(0).configuration().redundant() > 0) {
            head.set(HEAD.indexOf("against none"), "against the fewest");
        }
        return new Table(head, rows, 0);
    }

    private static String gib(double bytes) {
        return Decimals.text("%.2f", bytes / (1 << 30));
    }
}
