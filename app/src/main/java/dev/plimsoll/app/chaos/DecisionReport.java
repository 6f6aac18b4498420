package dev.plimsoll.app.chaos;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * What came of a run of decisions.
 *
 * @param crashes processes that were killed with {@code kill -9}
 * @param misrouted tokens that met the weights of another expert, of all ranks
 * @param stuck how often no decision settled in time although all was mended
 * @param problems what else went wrong, and every finding
 */
public record DecisionReport(
        Map<DecisionFault, Integer> faults,
        DecisionVerdict verdict,
        int crashes,
        long misrouted,
        int stuck,
        DecisionTimes times,
        List<String> problems) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public DecisionReport {
        faults = Map.copyOf(faults);
        problems = List.copyOf(problems);
    }

    /** Whether all that must be 0 is. */
    public boolean clean() {
        return verdict.clean() && misrouted == 0 && stuck == 0;
    }

    /** One line. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance
                .objectNode()
                .put("decisions", verdict.decisions())
                .put("settled", verdict.settled())
                .put("aborted", verdict.aborted())
                .put("rollbacks", verdict.rollbacks())
                .put("crashes", crashes)
                .put("failovers", verdict.failovers())
                .put("misrouted", misrouted)
                .put("mapSkew", verdict.mapSkew())
                .put("lost", verdict.lost())
                .put("uncovered", verdict.uncovered())
                .put("stuck", stuck);
        ObjectNode latency = root.putObject("latencyMillis");
        for (DecisionTimes.Until until : DecisionTimes.Until.values()) {
            ObjectNode node = latency.putObject(until.name().toLowerCase(Locale.ROOT));
            put(node, "p50", times.quantile(until, 0.5));
            put(node, "p99", times.quantile(until, 0.99));
        }
        try {
            return MAPPER.writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }

    private static void put(ObjectNode node, String name, OptionalLong value) {
        if (value.isPresent()) {
            node.put(name, value.getAsLong());
        } else {
            node.putNull(name);
        }
    }

    /** For people. */
    public String text() {
        return String.format(
                Locale.ROOT,
                "%d decisions: %d settled, %d aborted, %d rolled back; %d crashes, %d fail-overs (%s); misrouted %d, different"
                        + " maps %d, lost %d, experts without a slot %d, stuck %d; from the window to SETTLED %s ms (median),"
                        + " %s ms (p99)",
                verdict.decisions(),
                verdict.settled(),
                verdict.aborted(),
                verdict.rollbacks(),
                crashes,
                verdict.failovers(),
                faults.entrySet().stream()
                        .sorted(Map.Entry.comparingByKey())
                        .map(fault -> fault.getKey() + " " + fault.getValue())
                        .collect(Collectors.joining(", ")),
                misrouted,
                verdict.mapSkew(),
                verdict.lost(),
                verdict.uncovered(),
                stuck,
                words(times.quantile(DecisionTimes.Until.SETTLED, 0.5)),
                words(times.quantile(DecisionTimes.Until.SETTLED, 0.99)));
    }

    private static String words(OptionalLong value) {
        return value.isPresent() ? Long.toString(value.getAsLong()) : "–";
    }
}
