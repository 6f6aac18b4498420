package dev.plimsoll.wire;

import dev.plimsoll.model.AggregatorState.Counts;
import dev.plimsoll.model.AggregatorState.Sequence;
import dev.plimsoll.model.AggregatorState.Whole;
import dev.plimsoll.model.LongVector;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * {@link Whole}, as the first release wrote it. Read with what a state holds today; written without deployments only, to stand where
 * that release looks.
 */
final class AggregatorStateCodec implements Codec<Whole> {
    private final MembershipCodec members = new MembershipCodec();

    @Override
    public void write(Whole state, Fields to) {
        if (!state.sequences().isEmpty()) {
            throw new IllegalStateException("deployments have records of their own: " + state);
        }
        to.put("summary", line(state))
                .put("partition", state.partition())
                .put("asOf", state.asOf())
                .beginList("sequences");
    }

    @Override
    public Whole read(Fields from) {
        long asOf = from.number("asOf");
        return new Whole(
                from.integer("partition"),
                asOf,
                from.list("sequences").stream()
                        .map(sequence -> sequence(sequence, asOf))
                        .toList());
    }

    /** That release numbered windows from 0, never went back, and kept no append times; it jumped when one sample was too far ahead. */
    private Sequence sequence(Fields from, long asOf) {
        long previous = from.number("previousIndex");
        long oldest = from.number("oldestNeeded");
        return new Sequence(
                members.read(from.fields("members")),
                asOf,
                from.number("firstOpen"),
                from.number("closedBy"),
                previous < 0 ? LongVector.empty() : LongVector.of(0, previous),
                from.flag("ended") ? OptionalLong.of(Math.max(0, from.number("closedBy"))) : OptionalLong.empty(),
                from.flag("truncated"),
                oldest > asOf ? OptionalLong.empty() : OptionalLong.of(oldest),
                OptionalLong.empty(),
                OptionalLong.empty(),
                from.longs("excluded"),
                List.of(),
                LongVector.empty(),
                counts(from));
    }

    static Counts counts(Fields from) {
        return new Counts(
                from.number("late"),
                from.number("duplicates"),
                from.number("conflicts"),
                from.number("rejected"),
                from.number("unattributed"));
    }

    @Override
    public String line(Whole state) {
        return state.isOutOfReach()
                ? "STATE partition " + state.partition()
                        + ": kept in records of its own since a later release; an aggregator"
                        + " of the first release must not go on here"
                : "STATE partition " + state.partition() + ": "
                        + state.sequences().stream()
                                .map(DeploymentStateCodec::line)
                                .collect(Collectors.joining(", "));
    }
}
