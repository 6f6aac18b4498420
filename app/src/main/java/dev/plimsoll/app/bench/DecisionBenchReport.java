package dev.plimsoll.app.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.chaos.DecisionTimes;
import dev.plimsoll.replay.score.Machine;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * The result of {@code plimsoll bench decisions}.
 *
 * @param loadBefore the machine's load average over the last minute when it began, negative when not known
 * @param loadAfter the same when it ended; the measurement itself is part of it
 */
public record DecisionBenchReport(
        DecisionBench.Settings settings,
        DecisionBench.Result result,
        Machine machine,
        double loadBefore,
        double loadAfter) {

    /** One line of JSON. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ObjectNode boundary = root.putObject("boundaryMicros");
        micros(boundary.putObject("stagingAndIssuing"), result.boundary().staging());
        micros(boundary.putObject("withAgent"), result.boundary().agent());
        boundary.put("more", thousandths(result.boundary().more()));
        ObjectNode ranks = root.putObject("ranks");
        result.byRanks().forEach((size, of) -> put(ranks.putObject(Integer.toString(size)), of));
        machine.put(root.putObject("machine"))
                .put("loadBefore", thousandths(loadBefore))
                .put("loadAfter", thousandths(loadAfter));
        try {
            return new ObjectMapper().writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }

    private static void put(ObjectNode node, DecisionBench.OfRanks of) {
        node.put("decisions", of.times().count());
        ObjectNode latency = node.putObject("latencyMillis");
        for (DecisionTimes.Until until : DecisionTimes.Until.values()) {
            latency.putObject(until.name().toLowerCase(Locale.ROOT))
                    .put("p50", of.times().quantile(until, 0.5).orElse(-1))
                    .put("p99", of.times().quantile(until, 0.99).orElse(-1));
        }
        micros(node.putObject("flipMicrosOfARank"), of.flipNanos());
        micros(node.putObject("boundaryMicrosOfAll"), of.boundaries().idle());
        micros(node.putObject("flipBoundaryMicrosOfAll"), of.boundaries().flips());
        micros(node.putObject("stepsMicros"), of.boundaries().steps());
        micros(node.putObject("stepsInTransfersMicros"), of.boundaries().stepsInTransfers());
        node.put("stepsPerSecond", thousandths(of.stepsPerSecond())).put("misrouted", of.misrouted());
    }

    private static void micros(ObjectNode node, Histogram nanos) {
        node.put("p50", thousandths(nanos.getValueAtPercentile(50) / 1e3))
                .put("p99", thousandths(nanos.getValueAtPercentile(99) / 1e3))
                .put("measured", nanos.getTotalCount());
    }

    private static double thousandths(double value) {
        return Math.round(1e3 * value) / 1e3;
    }

    /** Lines for people. */
    public String text() {
        StringBuilder text = new StringBuilder();
        BoundaryCost.Result boundary = result.boundary();
        text.append(String.format(
                Locale.ROOT,
                "boundary of a rank, no decision: staging and issuing alone %.1f µs, with its agent %.1f µs, %+.1f %% (medians"
                        + " of %d, in turn)%n",
                boundary.staging().getValueAtPercentile(50) / 1e3,
                boundary.agent().getValueAtPercentile(50) / 1e3,
                100 * boundary.more(),
                boundary.agent().getTotalCount()));
        result.byRanks().forEach((size, of) -> {
            DecisionTimes times = of.times();
            text.append(String.format(
                    Locale.ROOT,
                    "%d ranks × %d slots, %d decisions at %.0f steps/s; from the window, ms (p50/p99): PROPOSE %d/%d, last ACCEPTED"
                            + " %d/%d, all flipped %d/%d, SETTLED %d/%d%n",
                    size,
                    of.slotsPerRank(),
                    times.count(),
                    of.stepsPerSecond(),
                    times.quantile(DecisionTimes.Until.PROPOSE, 0.5).orElse(-1),
                    times.quantile(DecisionTimes.Until.PROPOSE, 0.99).orElse(-1),
                    times.quantile(DecisionTimes.Until.ACCEPTED, 0.5).orElse(-1),
                    times.quantile(DecisionTimes.Until.ACCEPTED, 0.99).orElse(-1),
                    times.quantile(DecisionTimes.Until.FLIPPED, 0.5).orElse(-1),
                    times.quantile(DecisionTimes.Until.FLIPPED, 0.99).orElse(-1),
                    times.quantile(DecisionTimes.Until.SETTLED, 0.5).orElse(-1),
                    times.quantile(DecisionTimes.Until.SETTLED, 0.99).orElse(-1)));
            double step = of.boundaries().steps().getValueAtPercentile(50) / (double) settings.boundarySteps();
            text.append(String.format(
                    Locale.ROOT,
                    "  a flip on a rank %.2f ms (p50), %.2f ms (p99), which is %.2f of a step; steps during transfers %+.2f %%"
                            + " (medians of %d, others %d); misrouted %d%n",
                    of.flipNanos().getValueAtPercentile(50) / 1e6,
                    of.flipNanos().getValueAtPercentile(99) / 1e6,
                    of.flipNanos().getValueAtPercentile(50) / step,
                    100
                            * (of.boundaries().stepsInTransfers().getValueAtPercentile(50)
                                            / (double) of.boundaries().steps().getValueAtPercentile(50)
                                    - 1),
                    of.boundaries().stepsInTransfers().getTotalCount(),
                    of.boundaries().steps().getTotalCount(),
                    of.misrouted()));
        });
        text.append(
                String.format(Locale.ROOT, "%s; load %.2f before, %.2f after", machine.line(), loadBefore, loadAfter));
        return text.toString().stripTrailing();
    }
}
