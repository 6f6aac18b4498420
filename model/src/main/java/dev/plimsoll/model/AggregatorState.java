package dev.plimsoll.model;

import java.util.List;

/**
 * What the aggregator cannot learn again by reading samples from its committed offset: written with every close, in the same
 * transaction.
 *
 * @param partition partition of the samples topic
 * @param asOf offset of the newest record that this state has seen: records up to it are replayed, none of them can close a
 *     window again; -1 before the first
 */
public record AggregatorState(int partition, long asOf, List<Sequence> sequences) {
    public AggregatorState {
        sequences = List.copyOf(sequences);
        if (partition < 0 || asOf < -1) {
            throw new IllegalArgumentException(
                    "state of partition " + partition + " as of " + asOf + " is out of range");
        }
    }

    /** The oldest offset that a restart from this state has to read: the offset that is committed with it. */
    public long nextInputOffset() {
        return sequences.stream().mapToLong(Sequence::oldestNeeded).reduce(asOf + 1, Math::min);
    }

    /**
     * The windows of one deployment.
     *
     * @param members the incarnation in force
     * @param firstOpen index of the first open window
     * @param closedBy offset of the record that caused the last close, -1 before the first
     * @param previousIndex index of the last window closed, -1 before the first
     * @param ended whether END was seen
     * @param truncated whether input was lost, and no window has been complete since
     * @param oldestNeeded offset of the oldest record that an open window holds, {@code asOf + 1} when there is none; older
     *     records of this deployment are of no use
     * @param excluded offsets, ascending, of samples that were rejected as too far ahead and might fit by now
     * @param farthest {@code [rank]} furthest window that was rejected as too far ahead, -1 for none
     * @param counts what was counted since the last close
     */
    public record Sequence(
            Membership members,
            long firstOpen,
            long closedBy,
            long previousIndex,
            boolean ended,
            boolean truncated,
            long oldestNeeded,
            LongVector excluded,
            LongVector farthest,
            Counts counts) {}

    /**
     * What a window's summary tells of the time since the window before; units as in {@link WindowSummary}.
     *
     * @param late samples behind the first open window
     * @param duplicates cells that were there already, and equal
     * @param conflicts cells that were there already with other values
     * @param rejected records that could not be used
     * @param unattributed load of samples that spanned a border or a flip
     */
    public record Counts(long late, long duplicates, long conflicts, long rejected, long unattributed) {
        public static final Counts NONE = new Counts(0, 0, 0, 0, 0);

        /** Sums that stop at the largest number instead of failing: these are what others sent, not what we rely on. */
        public Counts plus(Counts other) {
            return new Counts(
                    saturated(late + other.late),
                    saturated(duplicates + other.duplicates),
                    saturated(conflicts + other.conflicts),
                    saturated(rejected + other.rejected),
                    saturated(unattributed + other.unattributed));
        }

        private static long saturated(long sum) {
            return sum < 0 ? Long.MAX_VALUE : sum;
        }
    }
}
