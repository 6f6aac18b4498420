package dev.plimsoll.app.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.score.Machine;
import java.util.Locale;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/**
 * The result of {@code plimsoll bench device}, with all that is needed to take it again.
 *
 * @param loadBefore the machine's load average over the last minute when it began, negative when not known
 * @param loadAfter the same when it ended; the measurement itself is part of it
 */
public record DeviceBenchReport(
        DeviceBench.Settings settings,
        DeviceBench.Result result,
        Machine machine,
        double loadBefore,
        double loadAfter) {

    /** One line of JSON. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        micros(root.putObject("snapshotMicros"), result.snapshot());
        micros(root.putObject("boundaryToCallbackMicros"), result.callback());
        ObjectNode gathers = root.putObject("gatherMicros");
        result.gathers().forEach((ranks, gather) -> micros(gathers.putObject(Integer.toString(ranks)), gather));
        root.put("backend", settings.backend()).put("layers", settings.layers()).put("slots", settings.slots());
        root.put("arguments", arguments());
        machine.put(root.putObject("machine"))
                .put("loadBefore", hundredths(loadBefore))
                .put("loadAfter", hundredths(loadAfter));
        try {
            return new ObjectMapper().writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }

    /** Lines for people. */
    public String text() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                "%-46s %11s %11s %9s%n",
                settings.backend() + ", " + settings.layers() + " layers × " + settings.slots() + " slots per rank, µs",
                "p50",
                "p99",
                "measured"));
        line(text, "snapshot on the dispatch thread, 1 rank", result.snapshot());
        line(text, "boundary to callback in Java, 1 rank", result.callback());
        result.gathers()
                .forEach((ranks, gather) ->
                        line(text, "gather of " + ranks + (ranks == 1 ? " rank" : " ranks, all here"), gather));
        text.append(machine.line())
                .append(String.format(Locale.ROOT, "; load %.2f before, %.2f after%n", loadBefore, loadAfter))
                .append("again: plimsoll bench device ")
                .append(arguments());
        return text.toString();
    }

    private String arguments() {
        return "--backend " + settings.backend() + " --ranks "
                + settings.ranks().stream().map(String::valueOf).collect(Collectors.joining(",")) + " --layers "
                + settings.layers() + " --slots " + settings.slots() + " --boundaries " + settings.boundaries();
    }

    private static void line(StringBuilder text, String what, Histogram nanos) {
        text.append(String.format(
                Locale.ROOT,
                "%-46s %11.1f %11.1f %9d%n",
                what,
                micros(nanos, 50),
                micros(nanos, 99),
                nanos.getTotalCount()));
    }

    private static void micros(ObjectNode node, Histogram nanos) {
        node.put("p50", micros(nanos, 50)).put("p99", micros(nanos, 99)).put("measured", nanos.getTotalCount());
    }

    private static double micros(Histogram nanos, double percentile) {
        return Math.round(nanos.getValueAtPercentile(percentile) / 100.0) / 10.0;
    }

    private static double hundredths(double load) {
        return Math.round(load * 100) / 100.0;
    }
}
