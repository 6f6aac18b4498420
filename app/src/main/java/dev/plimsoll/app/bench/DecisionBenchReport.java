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
        micros(boundary.putObject("afterSleep"), result.boundary().slept());
        micros(boundary.putObject("afterSweep"), result.boundary().swept());
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
        micros(node.putObject("stepsInTransfersMicros"), of.boundaries().transfers());
        micros(node.putObject("flipsWithTheirStepMicros"), of.boundaries().flipping());
        node.put("stepMicros", thousandths(of.boundaries().stepNanos() / 1e3));
        node.put("stepsPerSecond", thousandths(of.stepsPerSecond())).put("misrouted", of.misrouted());
    }

    private static void micros(ObjectNode node, Histogram nanos) {
        node.put("p50", thousandths(nanos.getValueAtPercentile(50) / 1e3))
                .put("p99", thousandths(nanos.getValueAtPercentile(99) / 1e3))
                .put("measured", nanos.getTotalCount());
    }

    /** Of the pairs' first, how much more their second is (median), and between what that lies with 95 % confidence. */
    private static void micros(ObjectNode node, Pairs pairs) {
        node.put("without", thousandths(pairs.base() / 1e3))
                .put("more", thousandths(pairs.more() / 1e3))
                .put("low", thousandths(pairs.low() / 1e3))
                .put("high", thousandths(pairs.high() / 1e3))
                .put("share", thousandths(pairs.share()))
                .put("pairs", pairs.count());
    }

    private static double thousandths(double value) {
        return Math.round(1e3 * value) / 1e3;
    }

    private static String micros(Pairs pairs) {
        return String.format(
                Locale.ROOT,
                "%+.2f µs (95 %%: %+.2f to %+.2f, median of %d pairs)",
                pairs.more() / 1e3,
                pairs.low() / 1e3,
                pairs.high() / 1e3,
                pairs.count());
    }

    /** Lines for people. */
    public String text() {
        StringBuilder text = new StringBuilder();
        BoundaryCost.Result boundary = result.boundary();
        text.append(String.format(
                Locale.ROOT,
                "boundary of a rank, no decision: staging and issuing alone %.1f µs, its agent %s; caches swept before: alone %.1f µs,"
                        + " its agent %s%n",
                boundary.slept().base() / 1e3,
                micros(boundary.slept()),
                boundary.swept().base() / 1e3,
                micros(boundary.swept())));
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
            BoundaryTimes boundaries = of.boundaries();
            double step = boundaries.stepNanos();
            text.append(String.format(
                    Locale.ROOT,
                    "  a step's work %.2f ms (all ranks, not waiting until it is due); during transfers %+.2f %% (95 %%: %+.2f to %+.2f, %d"
                            + " pairs of medians of %d steps)%n",
                    step / 1e6,
                    100 * boundaries.transfers().share(),
                    100.0
                            * boundaries.transfers().low()
                            / Math.max(1, boundaries.transfers().base()),
                    100.0
                            * boundaries.transfers().high()
                            / Math.max(1, boundaries.transfers().base()),
                    boundaries.transfers().count(),
                    settings.boundarySteps() - 1));
            text.append(String.format(
                    Locale.ROOT,
                    "  a flip on a rank's dispatch thread %.3f ms (p50), %.2f ms (p99); of all ranks in turn, copies included, %s: %.2f of"
                            + " a step's work; misrouted %d%n",
                    of.flipNanos().getValueAtPercentile(50) / 1e6,
                    of.flipNanos().getValueAtPercentile(99) / 1e6,
                    micros(boundaries.flipping()),
                    step == 0 ? 0 : boundaries.flipping().more() / step,
                    of.misrouted()));
        });
        text.append(
                String.format(Locale.ROOT, "%s; load %.2f before, %.2f after", machine.line(), loadBefore, loadAfter));
        return text.toString().stripTrailing();
    }
}
