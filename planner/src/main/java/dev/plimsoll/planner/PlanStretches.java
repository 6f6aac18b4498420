package dev.plimsoll.planner;

import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.wire.kafka.RecoveryRead.Range;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** The stretches of one partition's plan log that deployments need together, in ascending order and none twice; the last goes to its end. */
final class PlanStretches {
    private PlanStretches() {}

    /** Empty when there is no deployment. */
    static List<Range> of(Collection<PlanRestart> restarts) {
        if (restarts.isEmpty()) {
            return List.of(Range.ALL);
        }
        long open = restarts.stream().mapToLong(PlanRestart::from).min().orElseThrow();
        List<PlanRestart> ascending = restarts.stream()
                .filter(restart -> restart.offset() < restart.upTo())
                .sorted(Comparator.comparingLong(PlanRestart::offset))
                .toList();
        List<Range> ranges = new ArrayList<>();
        long from = -1;
        long to = -1;
        for (PlanRestart restart : ascending) {
            if (restart.offset() > to) {
                close(ranges, from, Math.min(to, open));
                from = restart.offset();
                to = restart.upTo();
            } else {
                to = Math.max(to, restart.upTo());
            }
        }
        if (to >= open) {
            ranges.add(Range.from(Math.min(from, open)));
            return ranges;
        }
        close(ranges, from, to);
        ranges.add(Range.from(open));
        return ranges;
    }

    private static void close(List<Range> ranges, long from, long to) {
        if (from >= 0 && from < to) {
            ranges.add(Range.between(from, to));
        }
    }
}
