package dev.plimsoll.planner;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.wire.kafka.RecoveryRead.Range;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The stretches of one partition's plan log that deployments need together, in ascending order and none twice; the last goes to its end. */
final class PlanStretches {
    private PlanStretches() {}

    /** Empty when there is no deployment. */
    static List<Range> of(Collection<PlanRestart> restarts) {
        if (restarts.isEmpty()) {
            return List.of(Range.ALL);
        }
        long open = restarts.stream().mapToLong(PlanRestart::from).min().orElseThrow();
        List<long[]> ascending = restarts.stream()
                .flatMap(restart -> stretches(restart.stretches()))
                .sorted(Comparator.comparingLong(stretch -> stretch[0]))
                .toList();
        List<Range> ranges = new ArrayList<>();
        long from = -1;
        long to = -1;
        for (long[] stretch : ascending) {
            if (stretch[0] > to) {
                close(ranges, from, Math.min(to, open));
                from = stretch[0];
                to = stretch[1];
            } else {
                to = Math.max(to, stretch[1]);
            }
        }
        if (to >= open) {
            ranges.add(Range.from(Math.min(from, open)));
            return List.copyOf(ranges);
        }
        close(ranges, from, to);
        ranges.add(Range.from(open));
        return List.copyOf(ranges);
    }

    private static Stream<long[]> stretches(LongVector bounds) {
        return IntStream.range(0, bounds.size() / 2).mapToObj(stretch ->
                new long[] {bounds.at(2 * stretch), bounds.at(2 * stretch + 1)});
    }

    private static void close(List<Range> ranges, long from, long to) {
        if (from >= 0 && from < to) {
            ranges.add(Range.between(from, to));
        }
    }
}
