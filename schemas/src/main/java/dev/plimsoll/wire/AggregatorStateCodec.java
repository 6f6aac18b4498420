package dev.plimsoll.wire;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.AggregatorState.Sequence;
import java.util.stream.Collectors;

/** {@link AggregatorState}. */
final class AggregatorStateCodec implements Codec<AggregatorState> {
    private final MembershipCodec members = new MembershipCodec();

    @Override
    public void write(AggregatorState state, Fields to) {
        to.put("summary", line(state))
                .put("partition", state.partition())
                .put("asOf", state.asOf())
                .beginList("sequences");
        for (Sequence sequence : state.sequences()) {
            Fields fields = to.addTo("sequences")
                    .put("firstOpen", sequence.firstOpen())
                    .put("closedBy", sequence.closedBy())
                    .put("previousIndex", sequence.previousIndex())
                    .put("ended", sequence.ended())
                    .put("truncated", sequence.truncated())
                    .put("oldestNeeded", sequence.oldestNeeded())
                    .put("late", sequence.counts().late())
                    .put("duplicates", sequence.counts().duplicates())
                    .put("conflicts", sequence.counts().conflicts())
                    .put("rejected", sequence.counts().rejected())
                    .put("unattributed", sequence.counts().unattributed())
                    .put("excluded", sequence.excluded())
                    .put("farthest", sequence.farthest());
            members.write(sequence.members(), fields.putFields("members"));
        }
    }

    @Override
    public AggregatorState read(Fields from) {
        return new AggregatorState(
                from.integer("partition"),
                from.number("asOf"),
                from.list("sequences").stream().map(this::sequence).toList());
    }

    private Sequence sequence(Fields from) {
        return new Sequence(
                members.read(from.fields("members")),
                from.number("firstOpen"),
                from.number("closedBy"),
                from.number("previousIndex"),
                from.flag("ended"),
                from.flag("truncated"),
                from.number("oldestNeeded"),
                from.longs("excluded"),
                from.longs("farthest"),
                new AggregatorState.Counts(
                        from.number("late"),
                        from.number("duplicates"),
                        from.number("conflicts"),
                        from.number("rejected"),
                        from.number("unattributed")));
    }

    @Override
    public String line(AggregatorState state) {
        return "STATE partition " + state.partition() + ": "
                + state.sequences().stream()
                        .map(sequence -> sequence.members().deployment() + " incarnation "
                                + sequence.members().incarnation() + " window " + sequence.firstOpen() + " open")
                        .collect(Collectors.joining(", "));
    }
}
