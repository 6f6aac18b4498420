package dev.plimsoll.app.chaos;

import dev.plimsoll.model.LoadSample;
import java.util.HashMap;
import java.util.Map;

/**
 * How far ranks that have lost their group serve on: such a rank publishes for itself, boundary by boundary, while a group is published node
 * by node; but for a boundary or two, where its ranks differ in what they have heard.
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
        if (sample.incarnation() != incarnation) {
            return;
        }
        if (sample.ranks() > 1) {
            for (int rank = 0; rank < sample.ranks(); rank++) {
                steps.remove(sample.firstRank() + rank);
            }
        } else {
            long to = sample.steps().to();
            steps.merge(
                    sample.firstRank(),
                    new Steps(to, to),
                    (so, more) -> new Steps(so.from(), Math.max(so.to(), more.to())));
        }
    }

    /** Steps that a rank has served alone since its group last published it, or since the first boundary that it published. */
    long of(long life, int rank) {
        Steps so = steps.get(rank);
        return life != incarnation || so == null ? 0 : so.to() - so.from();
    }
}
