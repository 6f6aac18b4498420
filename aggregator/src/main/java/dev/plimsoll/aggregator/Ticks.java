package dev.plimsoll.aggregator;

import dev.plimsoll.model.Deployment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides when a silent deployment needs a tick, the one place where a clock reaches the log.
 *
 * <p>A tick says no more than that it was appended at some time, so any number of them is harmless: from two aggregators, from one that
 * was slow and not silent, or read twice. At most one per interval and deployment is asked for.
 */
final class Ticks {
    private final long intervalMillis;
    private final Set<Deployment> active = new HashSet<>();
    /** When a deployment was last heard of, or given a tick. */
    private final Map<Deployment, Long> lastHeard = new HashMap<>();

    Ticks(Duration interval) {
        this.intervalMillis = interval.toMillis();
    }

    void heard(Deployment deployment) {
        active.add(deployment);
    }

    /**
     * The deployments that need a tick now.
     *
     * @param awaiting those that wait for time, and how long they have to be silent before they need to know it
     */
    List<Deployment> due(Map<Deployment, Duration> awaiting, long nowMillis) {
        lastHeard.keySet().retainAll(awaiting.keySet());
        List<Deployment> due = new ArrayList<>();
        awaiting.forEach((deployment, silence) -> {
            long last = lastHeard.getOrDefault(deployment, nowMillis);
            if (active.contains(deployment) || last > nowMillis) {
                last = nowMillis;
            } else if (nowMillis - last >= Math.max(intervalMillis, silence.toMillis())) {
                due.add(deployment);
                last = nowMillis;
            }
            lastHeard.put(deployment, last);
        });
        active.clear();
        return due;
    }
}
