package dev.plimsoll.app.chaos;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * When a run has enough faults: after a time, or when so much has happened.
 *
 * @param counts all of which must be reached: {@code decisions}, {@code crashes}, {@code failovers}; none where time decides alone
 */
public record DecisionGoal(Optional<Duration> time, Map<String, Integer> counts) {
    /** How long a run takes of which nobody says more: for its pace. */
    private static final Duration LONG = Duration.ofHours(1);

    public DecisionGoal {
        counts = Map.copyOf(counts);
        if (time.isEmpty() && counts.isEmpty()) {
            throw new IllegalArgumentException("a run without a time and without a goal has no end");
        }
        for (String name : counts.keySet()) {
            if (!name.equals("decisions") && !name.equals("crashes") && !name.equals("failovers")) {
                throw new IllegalArgumentException(
                        "nothing called '" + name + "' is counted: decisions, crashes and failovers are");
            }
        }
    }

    Duration pace() {
        return time.orElse(LONG);
    }

    boolean reached(Duration passed, int decisions, int crashes, int failovers) {
        boolean late = time.filter(longest -> passed.compareTo(longest) >= 0).isPresent();
        boolean enough = !counts.isEmpty()
                && decisions >= counts.getOrDefault("decisions", 0)
                && crashes >= counts.getOrDefault("crashes", 0)
                && failovers >= counts.getOrDefault("failovers", 0);
        return late || enough;
    }
}
