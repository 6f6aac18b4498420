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

/** The stretches of one partition's topic that deployments need together, in ascending order and none twice; the last goes to its end. */
final class PlanStretches {
    /**
     * What one deployment needs.
     *
     * @param bounds first offset and offset behind the last, of one after the other, ascending
     * @param from from where on everything
     */
    record Needed(LongVector bounds, long from) {
        static Needed ofPlan(PlanRestart restart) {
            return new Needed(restart.stretches(), restart.from());
        }

        /** @param restart one that says what is needed */
        static Needed ofOutcomes(PlanRestart restart) {
            LongVector all = restart.outcomes();
            return new Needed(all.slice(0, all.size() - 1), all.at(all.size() - 1));
        }
    }

    private PlanStretches() {}

    /** Empty when there is no deployment. */
    static List<Range> of(Collection<Needed> needed) {
        if (needed.isEmpty()) {
            return List.of(Range.ALL);
        }
        long open = needed.stream().mapToLong(Needed::from).min().orElseThrow();
        List<long[]> ascending = needed.stream()
                .flatMap(one -> stretches(one.bounds()))
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
