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
 * @param survivors what became of processes of ranks that lost others
 * @param problems what else went wrong, and every finding
 */
public record DecisionReport(
        Map<DecisionFault, Integer> faults,
        DecisionVerdict verdict,
        int crashes,
        long misrouted,
        int stuck,
        Survivors survivors,
        DecisionTimes times,
        List<String> problems) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * Processes of ranks that lost others, until all began anew.
     *
     * @param servedOn those that stepped on and decided nothing
     * @param left those that ended, as a rank of theirs could not know whether others flipped
     * @param stranded those that ended or stood still for no such reason
     */
    public record Survivors(int servedOn, int left, int stranded) {}

    public DecisionReport {
        faults = Map.copyOf(faults);
        problems = List.copyOf(problems);
    }

    /** Whether all that must be 0 is. */
    public boolean clean() {
        return verdict.clean() && misrouted == 0 && stuck == 0 && survivors.stranded() == 0;
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
                .put("stuck", stuck)
                .put("servedOn", survivors.servedOn())
                .put("left", survivors.left())
                .put("stranded", survivors.stranded());
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
                        + " maps %d, lost %d, experts without a slot %d, stuck %d; of processes"
                        + " that lost others %d served on, %d had to leave, %d stranded; from the window to SETTLED %s ms (median),"
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
                survivors.servedOn(),
                survivors.left(),
                survivors.stranded(),
                words(times.quantile(DecisionTimes.Until.SETTLED, 0.5)),
                words(times.quantile(DecisionTimes.Until.SETTLED, 0.99)));
    }

    private static String words(OptionalLong value) {
        return value.isPresent() ? Long.toString(value.getAsLong()) : "–";
    }
}
