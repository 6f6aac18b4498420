package dev.plimsoll.replay.score.time;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.score.Decimals;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.Table;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Expert time under some policies' placements on the same tokens.
 *
 * @param profile name of the device profile
 * @param windows that were planned for
 * @param lines at least one, in the order they were asked for
 * @param bound mean time of a step that no placement can be below
 */
public record TimeReport(
        Subject subject,
        EpConfiguration configuration,
        String profile,
        int windows,
        List<TimeScores> lines,
        double bound) {
    private static final int MICROS = 2;
    private static final List<String> HEAD = List.of(
            "policy", "µs/step", "p50", "p99", "x bound", "balanced", "active", "moved", "first", "idle", "invalid");

    /**
     * What was computed.
     *
     * @param kind {@code trace} or {@code workload}
     * @param per what {@code batch} tokens are counted for
     * @param tokensPerSlot that a slot gets in a step, on average
     */
    public record Subject(String kind, String name, Batch per, double batch, double tokensPerSlot) {
        String batchText() {
            return whole(batch) + " " + per.words;
        }

        void put(ObjectNode root) {
            root.put(kind, name);
            root.set(per.key, JsonNodeFactory.instance.numberNode(new BigDecimal(whole(batch))));
        }
    }

    public TimeReport {
        lines = List.copyOf(lines);
    }

    /** The means of several reports that have the same lines; times are the means of each. */
    static TimeReport mean(List<TimeReport> reports) {
        TimeReport first = reports.get(0);
        List<TimeScores> lines = new ArrayList<>();
        for (int i = 0; i < first.lines.size(); i++) {
            int at = i;
            lines.add(TimeScores.mean(
                    reports.stream().map(report -> report.lines.get(at)).toList()));
        }
        return new TimeReport(
                new Subject(
                        first.subject.kind,
                        "mean of " + reports.size(),
                        first.subject.per,
                        first.subject.batch,
                        first.subject.tokensPerSlot),
                first.configuration,
                first.profile,
                first.windows,
                lines,
                reports.stream().mapToDouble(TimeReport::bound).average().orElse(Double.NaN));
    }

    /** The line of least mean time among those of others than our own policy, the first of equals. */
    public Optional<TimeScores> bestOfOthers() {
        return lines.stream()
                .filter(line -> !line.contender().ours())
                .min(Comparator.comparingDouble(TimeScores::mean));
    }

    /** One line of JSON. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        subject.put(root);
        root.put("ranks", configuration.ranks())
                .put("redundant", configuration.redundant())
                .put("nodes", configuration.nodes())
                .put("profile", profile)
                .put("windows", windows);
        ArrayNode array = root.putArray("policies");
        for (TimeScores line : lines) {
            ObjectNode node = array.addObject().put("policy", line.contender().name());
            put(node, line, bound);
            node.put("objective", line.contender().objective().name()).put("invalid", line.invalid());
        }
        return json(root);
    }

    /** A line's numbers. */
    static void put(ObjectNode node, TimeScores line, double bound) {
        Summary micros = line.summary();
        ObjectNode of = node.putObject("expertMicros");
        Decimals.put(of, "mean", micros.mean(), MICROS);
        Decimals.put(of, "p50", micros.p50(), MICROS);
        Decimals.put(of, "p99", micros.p99(), MICROS);
        Decimals.put(node, "bound", bound, MICROS);
        Decimals.put(node, "balancedness", line.balancedness(), Decimals.PLACES);
        Decimals.put(node, "activeExperts", line.activeExperts(), Decimals.PLACES);
        Decimals.put(node, "movedShare", line.movedShare(), Decimals.PLACES);
        Decimals.put(node, "movesFirst", line.movesFirst(), Decimals.MOVES);
        Decimals.put(node, "idleShare", line.idleShare(), Decimals.PLACES);
    }

    static String json(ObjectNode root) {
        try {
            return new ObjectMapper()
                    .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
                    .writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }

    /** A table for people. */
    public String text() {
        List<List<String>> rows = new ArrayList<>();
        for (TimeScores line : lines) {
            Summary micros = line.summary();
            rows.add(List.of(
                    line.contender().name(),
                    micros(micros.mean()),
                    micros(micros.p50()),
                    micros(micros.p99()),
                    Decimals.text("%.3f", micros.mean() / bound),
                    Decimals.text("%.4f", line.balancedness()),
                    Decimals.text("%.2f", line.activeExperts()),
                    Decimals.text("%.1f %%", line.movedShare() * 100),
                    Decimals.text("%.1f", line.movesFirst()),
                    Decimals.text("%.1f %%", line.idleShare() * 100),
                    Integer.toString(line.invalid())));
        }
        return subject.name() + ", " + subject.batchText() + ", " + configuration + ", " + profile + ", " + windows
                + " windows served; no placement below " + micros(bound) + " µs" + System.lineSeparator()
                + new Table(HEAD, rows, 1).text();
    }

    static String micros(double value) {
        return Decimals.text("%.1f", value);
    }

    static String whole(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : String.format(Locale.ROOT, "%.2f", value);
    }
}
