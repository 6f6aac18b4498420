package dev.plimsoll.app.chaos;

import dev.plimsoll.model.LoadSample;
import java.util.HashMap;
import java.util.Map;

/**
 * How far ranks that have lost their group serve on: such a rank publishes for itself, while a group is published node by node.
 *
 * <p>Knows the newest incarnation only. Not thread-safe.
 */
final class LoneSteps {
    private record Steps(long from, long to) {}

    private final Map<Integer, Steps> steps = new HashMap<>();
    private long incarnation;

    void add(LoadSample sample) {
        if (sample.incarnation() > incarnation) {
            incarnation = sample.incarnation();
            steps.clear();
        }
        if (sample.incarnation() == incarnation && sample.ranks() == 1) {
            steps.merge(
                    sample.firstRank(),
                    new Steps(sample.steps().to(), sample.steps().to()),
                    (so, more) -> new Steps(so.from(), Math.max(so.to(), more.to())));
        }
    }

    /** Steps that a rank has certainly served alone: from the first boundary at which it did to the last. */
    long of(long life, int rank) {
        Steps so = steps.get(rank);
        return life != incarnation || so == null ? 0 : so.to() - so.from();
    }
}
