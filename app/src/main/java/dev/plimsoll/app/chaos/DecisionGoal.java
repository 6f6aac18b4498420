package dev.plimsoll.app.chaos;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * When a run has enough faults: after a time, or when so much has happened.
 *
 * @param counts all of which must be reached, by the names of the report; none where time decides alone
 */
public record DecisionGoal(Optional<Duration> time, Map<String, Integer> counts) {
    /** What is counted while a run goes on. */
    public static final List<String> NAMES = List.of("decisions", "crashes", "failovers", "aborted", "rollbacks");

    /** How long a run takes of which nobody says more: for its pace. */
    private static final Duration LONG = Duration.ofHours(1);

    public DecisionGoal {
        counts = Map.copyOf(counts);
        if (time.isEmpty() && counts.isEmpty()) {
            throw new IllegalArgumentException("a run without a time and without a goal has no end");
        }
        for (String name : counts.keySet()) {
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException("nothing called '" + name + "' is counted: choose of " + NAMES);
            }
        }
    }

    Duration pace() {
        return time.orElse(LONG);
    }

    /** @param so how many there have been so far, by name */
    boolean reached(Duration passed, Map<String, Integer> so) {
        boolean late = time.filter(longest -> passed.compareTo(longest) >= 0).isPresent();
        boolean enough = !counts.isEmpty()
                && counts.entrySet().stream().allMatch(goal -> so.getOrDefault(goal.getKey(), 0) >= goal.getValue());
        return late || enough;
    }
}
