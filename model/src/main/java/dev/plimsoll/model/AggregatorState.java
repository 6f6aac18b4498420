package dev.plimsoll.model;

import java.util.List;

/**
 * What the aggregator cannot learn again by reading samples from its committed offset: written with every close, in the same
 * transaction.
 *
 * @param partition partition of the samples topic
 */
public record AggregatorState(int partition, List<Sequence> sequences) {
    public AggregatorState {
        sequences = List.copyOf(sequences);
    }

    /**
     * The windows of one deployment, as of the last close.
     *
     * @param members the incarnation in force
     * @param firstOpen index of the first open window
     * @param closedBy offset of the record that caused the last close, -1 before the first
     * @param previousIndex index of the last window closed, -1 before the first
     * @param ended whether END was seen
     * @param excluded offsets above the committed one whose samples were rejected as too far ahead and would fit by now
     * @param farthest {@code [rank]} furthest window that was rejected as too far ahead, -1 for none
     */
    public record Sequence(
            Membership members,
            long firstOpen,
            long closedBy,
            long previousIndex,
            boolean ended,
            LongVector excluded,
            LongVector farthest) {}
}
