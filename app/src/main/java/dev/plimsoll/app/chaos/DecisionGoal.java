package dev.plimsoll.app.chaos;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * When a run has enough faults: after a time, or when so much has happened.
 *
 * @param counts all of which must be reached, by the names of the report; none where time decides alone
 */
public record DecisionGoal(Optional<Duration> time, Map<String, Integer> counts) {
    static final String DECISIONS = "decisions";
    static final String CRASHES = "crashes";
    static final String FAILOVERS = "failovers";
    static final String ABORTED = "aborted";
    static final String ROLLBACKS = "rollbacks";

    /** What is counted while a run goes on. */
    public static final List<String> NAMES = List.of(DECISIONS, CRASHES, FAILOVERS, ABORTED, ROLLBACKS);

    /** Of how many decisions one is each of these, where a goal names decisions alone: 100, 50, 100 and 20 of 1,000. */
    private static final Map<String, Integer> ONE_OF = Map.of(CRASHES, 10, FAILOVERS, 20, ABORTED, 10, ROLLBACKS, 50);

    /** How long a run takes of which nobody says more: for its pace. */
    private static final Duration LONG = Duration.ofHours(1);

    /**
     * What is furthest from being reached.
     *
     * @param alone whether there have been decisions enough
     */
    record Lag(String name, boolean alone) {}

    /** Counts of decisions alone bring their usual share of all else with them. */
    public DecisionGoal {
        Map<String, Integer> all = new TreeMap<>(counts);
        if (all.keySet().equals(Set.of(DECISIONS))) {
            int decisions = all.getOrDefault(DECISIONS, 0);
            ONE_OF.forEach((name, of) -> all.put(name, decisions / of));
        }
        counts = Map.copyOf(all);
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
        boolean enough = !counts.isEmpty() && counts.keySet().stream().allMatch(name -> share(name, so) >= 1);
        return late || enough;
    }

    /** What is further from being reached than decisions are; empty where nothing is. */
    Optional<Lag> lag(Map<String, Integer> so) {
        double decisions = counts.containsKey(DECISIONS) ? Math.min(1, share(DECISIONS, so)) : 1;
        return counts.keySet().stream()
                .filter(name -> !name.equals(DECISIONS) && share(name, so) < decisions)
                .min(Comparator.<String>comparingDouble(name -> share(name, so)).thenComparing(name -> name))
                .map(name -> new Lag(name, decisions >= 1));
    }

    private double share(String name, Map<String, Integer> so) {
        int wanted = counts.getOrDefault(name, 0);
        return wanted <= 0 ? Double.POSITIVE_INFINITY : (double) so.getOrDefault(name, 0) / wanted;
    }
}
