package dev.plimsoll.model;

import java.util.List;
import java.util.OptionalLong;

/**
 * What the aggregator cannot learn again by reading samples from its committed offset: written with every close, in the same
 * transaction. One {@link OfPartition} says how far the log is done with, one {@link OfDeployment} for each deployment where its windows
 * are; those of deployments that did not change stay as they are.
 */
public sealed interface AggregatorState {
    /** Partition of the samples topic. */
    int partition();

    /**
     * How far one partition of the samples is folded.
     *
     * @param asOf offset of the newest record that was folded; -1 before the first
     * @param nextInputOffset the oldest offset that a restart has to read: the offset that is committed with it
     * @param topicId of the samples topic that the offsets belong to, empty when it is not known
     * @param partitions how many that topic had, 0 when it is not known
     */
    record OfPartition(int partition, long asOf, long nextInputOffset, String topicId, int partitions)
            implements AggregatorState {
        public OfPartition {
            if (partition < 0 || asOf < -1 || nextInputOffset < 0 || nextInputOffset > asOf + 1 || partitions < 0) {
                throw new IllegalArgumentException("state of partition " + partition + " of " + partitions + " as of "
                        + asOf + " with next offset " + nextInputOffset + " is out of range");
            }
        }
    }

    /** The windows of one deployment. */
    record OfDeployment(int partition, Sequence sequence) implements AggregatorState {
        public OfDeployment {
            if (partition < 0) {
                throw new IllegalArgumentException("partition " + partition + " must not be negative");
            }
        }
    }

    /**
     * The whole state of a partition in one record, as the first release wrote it. That release takes the newest such record that it can
     * read, so this one also serves to keep it from going on where a later release has been.
     */
    record Whole(int partition, long asOf, List<Sequence> sequences) implements AggregatorState {
        public Whole {
            sequences = List.copyOf(sequences);
            if (partition < 0 || asOf < -1) {
                throw new IllegalArgumentException(
                        "state of partition " + partition + " as of " + asOf + " is out of range");
            }
        }

        /** A record from which the first release can start nothing: it asks for an offset that no log has. */
        public static Whole outOfReach(int partition) {
            return new Whole(partition, Long.MAX_VALUE - 1, List.of());
        }

        public boolean isOutOfReach() {
            return asOf == Long.MAX_VALUE - 1;
        }

        public long nextInputOffset() {
            return sequences.stream()
                    .flatMapToLong(sequence -> sequence.oldestNeeded().stream())
                    .reduce(asOf + 1, Math::min);
        }
    }

    /**
     * The windows of one deployment.
     *
     * @param members the incarnation in force
     * @param asOf offset of the newest record that this has seen: records up to it are replayed, none of them can close a window again
     * @param firstOpen index of the first open window, -1 before the first sample
     * @param closedBy offset of the record that caused the last close, -1 before the first
     * @param published {@code [first, last, first, last…]} windows of this incarnation that were published, ascending
     * @param endedBy offset of END, empty while the incarnation goes on
     * @param truncated whether input was lost, and no window has been complete since
     * @param oldestNeeded offset of the oldest record that an open window holds, empty when there is none; older records of this
     *     deployment are of no use
     * @param grownAt append time of the newest sample that a window took, empty before the first
     * @param heardAt append time of the newest record, empty when it is not known
     * @param excluded offsets, ascending, of samples that were rejected and might fit by now
     * @param astray the ranks whose samples come from elsewhere, ascending
     * @param lapsed ranks, ascending, that are not waited for
     * @param counts what was counted since the last close
     */
    record Sequence(
            Membership members,
            long asOf,
            long firstOpen,
            long closedBy,
            LongVector published,
            OptionalLong endedBy,
            boolean truncated,
            OptionalLong oldestNeeded,
            OptionalLong grownAt,
            OptionalLong heardAt,
            LongVector excluded,
            List<Astray> astray,
            LongVector lapsed,
            Counts counts) {
        public Sequence {
            astray = List.copyOf(astray);
            if (published.size() % 2 != 0) {
                throw new IllegalArgumentException(
                        "published windows must be pairs of first and last, not " + published.size() + " numbers");
            }
        }

        public Deployment deployment() {
            return members.deployment();
        }
    }

    /**
     * A rank whose samples are far from the open windows, as far as they agree with each other.
     *
     * @param sinceMillis append time of the first of them
     * @param step end of the newest of them
     * @param records how many there were
     */
    record Astray(int rank, long sinceMillis, long step, long records) {}

    /**
     * What a window's summary tells of the time since the window before; units as in {@link WindowSummary}.
     *
     * @param late samples behind the first open window
     * @param duplicates cells that were there already, and equal
     * @param conflicts cells that were there already with other values
     * @param rejected records that could not be used
     * @param unattributed load of samples that spanned a border or a flip
     */
    record Counts(long late, long duplicates, long conflicts, long rejected, long unattributed) {
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
