package dev.plimsoll.app.watch;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.Balance;
import dev.plimsoll.simulator.DeviceTotals;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** The one JSON object that {@code plimsoll up --output json} prints at the end. */
public final class ReportJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * What the ranks and the roles counted themselves.
     *
     * @param device what the steps would have taken on a device; empty where they are not timed
     * @param boundaryNanos time that the dispatch thread spent in our calls at each boundary of each rank
     * @param refused proposals refused, by reason
     */
    public record Counts(
            long steps,
            long tokens,
            long misrouted,
            long captured,
            long published,
            long dropped,
            Map<String, Long> refused,
            Optional<DeviceTotals> device,
            Histogram boundaryNanos) {}

    private ReportJson() {}

    /** One line. Numbers that do not exist (no window was complete, say) are null. */
    public static String of(Counts counts, LoopReport report) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("steps", counts.steps()).put("tokens", counts.tokens()).put("misrouted", counts.misrouted());
        root.putObject("samples")
                .put("captured", counts.captured())
                .put("published", counts.published())
                .put("dropped", counts.dropped())
                .put("late", report.lateSamples());
        root.putObject("windows").put("complete", report.completeWindows()).put("partial", report.partialWindows());
        ObjectNode decisions = root.putObject("decisions");
        decisions.put("proposed", report.proposed());
        ObjectNode refused = decisions.putObject("refused");
        new TreeMap<>(counts.refused()).forEach(refused::put);
        decisions.put("settled", report.settledDecisions()).put("aborted", report.abortedDecisions());
        root.put("moves", report.moves()).put("placementVersion", report.placementVersion());
        stepTimes(root.putObject("stepMillis"), counts.device(), report.stepTimes());
        balancedness(root.putObject("balancedness"), report);
        ObjectNode latency = root.putObject("latencyMillis");
        percentiles(latency.putObject("sampleToWindow"), report.sampleToWindow());
        percentiles(latency.putObject("windowToProposal"), report.windowToProposal());
        percentiles(latency.putObject("proposalToSettled"), report.proposalToSettled());
        micros(root.putObject("boundaryMicros"), counts.boundaryNanos());
        try {
            return MAPPER.writeValueAsString(root);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }

    private static void stepTimes(ObjectNode node, Optional<DeviceTotals> device, LoopReport.StepTimes times) {
        millis(node, "mean", device.map(DeviceTotals::stepMicros));
        millis(node, "unmoved", device.map(DeviceTotals::unmovedStepMicros));
        put(node, "gain", device.map(DeviceTotals::gain));
        millis(node, "initial", times.initialMicros());
        millis(node, "settled", times.settledMicros());
        millis(node, "promised", times.promisedMicros());
        node.put("windows", times.windows());
        ObjectNode decisions = node.putObject("decisions");
        decisions.put("count", times.decisions().size());
        millis(decisions, "before", times.mean(DecisionTime::before));
        millis(decisions, "promised", times.mean(DecisionTime::promised));
        millis(decisions, "measured", times.mean(DecisionTime::measured));
        millis(decisions, "without", times.mean(DecisionTime::without));
        put(decisions, "promisedGain", boxed(times.mean(DecisionTime::promisedGain)));
        put(decisions, "gain", boxed(times.mean(DecisionTime::gain)));
    }

    private static void millis(ObjectNode node, String name, OptionalDouble micros) {
        millis(node, name, boxed(micros));
    }

    private static Optional<Double> boxed(OptionalDouble number) {
        return number.isPresent() ? Optional.of(number.getAsDouble()) : Optional.empty();
    }

    /** Milliseconds to the nanosecond. */
    private static void millis(ObjectNode node, String name, Optional<Double> micros) {
        if (micros.isPresent()) {
            node.put(name, Math.round(micros.get() * 1e3) / 1e6);
        } else {
            node.putNull(name);
        }
    }

    private static void balancedness(ObjectNode node, LoopReport report) {
        Optional<Balance> initial = report.initial().filter(Balance::loaded);
        ObjectNode first = node.putObject("initial");
        Optional<LoopReport.Settled> settled = report.settled();
        ObjectNode after = node.putObject("settled");
        put(first, "mean", initial.map(Balance::mean));
        put(first, "min", initial.map(Balance::min));
        put(after, "mean", settled.map(LoopReport.Settled::mean));
        put(after, "min", settled.map(LoopReport.Settled::min));
        after.put("windows", settled.map(LoopReport.Settled::windows).orElse(0));
        put(node, "predicted", settled.map(LoopReport.Settled::predicted));
    }

    private static void put(ObjectNode node, String name, Optional<Double> value) {
        if (value.isPresent()) {
            node.put(name, Math.round(value.get() * 10_000) / 10_000.0);
        } else {
            node.putNull(name);
        }
    }

    private static void percentiles(ObjectNode node, Histogram histogram) {
        for (int percentile : new int[] {50, 99}) {
            if (histogram.getTotalCount() > 0) {
                node.put("p" + percentile, histogram.getValueAtPercentile(percentile));
            } else {
                node.putNull("p" + percentile);
            }
        }
    }

    private static void micros(ObjectNode node, Histogram nanos) {
        if (nanos.getTotalCount() == 0) {
            node.putNull("p50").putNull("p99").putNull("max");
            return;
        }
        node.put("p50", tenths(nanos.getValueAtPercentile(50)));
        node.put("p99", tenths(nanos.getValueAtPercentile(99)));
        node.put("max", tenths(nanos.getMaxValue()));
    }

    private static double tenths(long nanos) {
        return Math.round(nanos / 100.0) / 10.0;
    }
}
