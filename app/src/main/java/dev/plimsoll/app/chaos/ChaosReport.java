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
 * What came of a run.
 *
 * @param misrouted tokens that met the weights of another expert, of all ranks
 * @param recoveryMedian milliseconds from a fault to new windows
 * @param problems what else went wrong: a process that ended by itself, windows that did not come back in time
 */
public record ChaosReport(
        Map<FaultKind, Integer> faults,
        Verdict windows,
        long misrouted,
        OptionalLong recoveryMedian,
        OptionalLong recoveryHigh,
        List<String> problems) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public ChaosReport {
        faults = Map.copyOf(faults);
        problems = List.copyOf(problems);
    }

    /** Whether no window was twice, lost or wrong, and no token went astray. */
    public boolean clean() {
        return windows.clean() && misrouted == 0;
    }

    /** One line. */
    public String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ObjectNode kinds = root.putObject("faults");
        for (FaultKind kind : FaultKind.values()) {
            kinds.put(kind.label(), faults.getOrDefault(kind, 0));
        }
        root.putObject("windows")
                .put("checked", windows.checked())
                .put("duplicate", windows.duplicate())
                .put("missing", windows.missing())
                .put("mismatch", windows.mismatch());
        root.put("misrouted", misrouted);
        ObjectNode recovery = root.putObject("recoveryMillis");
        put(recovery, "p50", recoveryMedian);
        put(recovery, "p99", recoveryHigh);
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
                "%d faults (%s): %,d windows checked, %d duplicate, %d missing, %d mismatch; %d misrouted; windows again after %s (median), %s (p99)",
                faults.values().stream().mapToInt(Integer::intValue).sum(),
                faults.entrySet().stream()
                        .filter(fault -> fault.getValue() > 0)
                        .sorted(Map.Entry.comparingByKey())
                        .map(fault -> fault.getKey().label() + " " + fault.getValue())
                        .collect(Collectors.joining(", ")),
                windows.checked(),
                windows.duplicate(),
                windows.missing(),
                windows.mismatch(),
                misrouted,
                seconds(recoveryMedian),
                seconds(recoveryHigh));
    }

    private static String seconds(OptionalLong millis) {
        return millis.isPresent() ? String.format(Locale.ROOT, "%.1f s", millis.getAsLong() / 1e3) : "–";
    }
}
