package dev.plimsoll.aggregator;

import dev.plimsoll.model.AggregatorState.OfPartition;
import dev.plimsoll.model.AggregatorState.Sequence;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.wire.kafka.InputLog;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where the fold of a partition goes on.
 *
 * @param asOf records up to this offset are replayed
 * @param position the first offset to read
 * @param lost what of the input is gone, in words; empty when nothing is
 */
record Start(long asOf, long position, List<Sequence> sequences, Optional<String> lost) {
    Start {
        sequences = List.copyOf(sequences);
    }

    /** A state and the log that it is about to meet. */
    record Planned(OfPartition state, Collection<Sequence> sequences) {
        /** Compares the log with the one that the state is of. What was published stays published, whatever became of the log. */
        Start in(InputLog input) {
            if (!state.topicId().isEmpty() && !state.topicId().equals(input.topicId())) {
                return new Start(
                        -1,
                        input.first(),
                        sequences.stream().map(Start::inAnotherLog).toList(),
                        Optional.of("the samples topic was deleted and made again (its id was " + state.topicId()
                                + " and is " + input.topicId() + "); going on at the new one's beginning, offset "
                                + input.first()));
            }
            if (state.asOf() >= input.end()) {
                return new Start(
                        input.end() - 1,
                        Math.max(input.first(), Math.min(state.nextInputOffset(), input.end())),
                        sequences.stream()
                                .map(sequence -> cut(sequence, input.end()))
                                .toList(),
                        Optional.of("samples from offset " + input.end() + " to " + state.asOf()
                                + " were folded and are not in the log any more, as after an unclean election"));
            }
            long position = Math.max(state.nextInputOffset(), input.first());
            Optional<String> lost = Optional.empty();
            if (state.nextInputOffset() < input.first()) {
                lost = Optional.of("samples from offset " + state.nextInputOffset() + " to " + (input.first() - 1)
                        + " were deleted before they were folded. Raise the samples' retention or find out why the"
                        + " aggregator was away for so long");
            } else if (state.partitions() != 0 && state.partitions() != input.partitions()) {
                lost = Optional.of("the samples topic had " + state.partitions() + " partitions and has "
                        + input.partitions() + ": deployments have moved to others, in the middle of their windows");
            }
            return new Start(state.asOf(), position, List.copyOf(sequences), lost);
        }
    }

    static Planned at(OfPartition state, Collection<Sequence> sequences) {
        return new Planned(state, sequences);
    }

    /** All that is about offsets and open windows is gone with the log. */
    private static Sequence inAnotherLog(Sequence s) {
        return new Sequence(
                s.members(),
                -1,
                s.firstOpen(),
                -1,
                s.published(),
                s.endedBy().isPresent() ? OptionalLong.of(0) : OptionalLong.empty(),
                true,
                OptionalLong.empty(),
                OptionalLong.empty(),
                s.heardAt(),
                LongVector.empty(),
                List.of(),
                s.lapsed(),
                s.counts());
    }

    /** What is left of the log is replayed; what comes behind it is new. */
    private static Sequence cut(Sequence s, long end) {
        return new Sequence(
                s.members(),
                Math.min(s.asOf(), end - 1),
                s.firstOpen(),
                Math.min(s.closedBy(), end - 1),
                s.published(),
                s.endedBy(),
                true,
                s.oldestNeeded().isPresent() && s.oldestNeeded().getAsLong() < end
                        ? s.oldestNeeded()
                        : OptionalLong.empty(),
                s.grownAt(),
                s.heardAt(),
                LongVector.of(Arrays.stream(s.excluded().toArray())
                        .filter(offset -> offset < end)
                        .toArray()),
                s.astray(),
                s.lapsed(),
                s.counts());
    }
}
