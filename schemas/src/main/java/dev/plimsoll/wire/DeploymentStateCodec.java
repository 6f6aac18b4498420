package dev.plimsoll.wire;

import dev.plimsoll.model.AggregatorState.Astray;
import dev.plimsoll.model.AggregatorState.OfDeployment;
import dev.plimsoll.model.AggregatorState.Sequence;
import java.util.OptionalLong;

/** {@link OfDeployment}. */
final class DeploymentStateCodec implements Codec<OfDeployment> {
    private final MembershipCodec members = new MembershipCodec();

    @Override
    public void write(OfDeployment state, Fields to) {
        Sequence sequence = state.sequence();
        to.put("summary", line(state))
                .put("partition", state.partition())
                .put("asOf", sequence.asOf())
                .put("firstOpen", sequence.firstOpen())
                .put("closedBy", sequence.closedBy())
                .put("published", sequence.published())
                .put("truncated", sequence.truncated())
                .put("late", sequence.counts().late())
                .put("duplicates", sequence.counts().duplicates())
                .put("conflicts", sequence.counts().conflicts())
                .put("rejected", sequence.counts().rejected())
                .put("unattributed", sequence.counts().unattributed())
                .put("excluded", sequence.excluded())
                .put("lapsed", sequence.lapsed())
                .beginList("astray");
        sequence.endedBy().ifPresent(offset -> to.put("endedBy", offset));
        sequence.oldestNeeded().ifPresent(offset -> to.put("oldestNeeded", offset));
        sequence.grownAt().ifPresent(millis -> to.put("grownAt", millis));
        sequence.heardAt().ifPresent(millis -> to.put("heardAt", millis));
        for (Astray rank : sequence.astray()) {
            to.addTo("astray")
                    .put("rank", rank.rank())
                    .put("since", rank.sinceMillis())
                    .put("step", rank.step())
                    .put("records", rank.records());
        }
        members.write(sequence.members(), to.putFields("members"));
    }

    @Override
    public OfDeployment read(Fields from) {
        return new OfDeployment(
                from.integer("partition"),
                new Sequence(
                        members.read(from.fields("members")),
                        from.number("asOf"),
                        from.number("firstOpen"),
                        from.number("closedBy"),
                        from.longs("published"),
                        optional(from, "endedBy"),
                        from.flag("truncated"),
                        optional(from, "oldestNeeded"),
                        optional(from, "grownAt"),
                        optional(from, "heardAt"),
                        from.longs("excluded"),
                        from.list("astray").stream()
                                .map(rank -> new Astray(
                                        rank.integer("rank"),
                                        rank.number("since"),
                                        rank.number("step"),
                                        rank.number("records")))
                                .toList(),
                        from.longs("lapsed"),
                        AggregatorStateCodec.counts(from)));
    }

    private static OptionalLong optional(Fields from, String name) {
        return from.has(name) ? OptionalLong.of(from.number(name)) : OptionalLong.empty();
    }

    @Override
    public String line(OfDeployment state) {
        return "STATE partition " + state.partition() + ": " + line(state.sequence());
    }

    static String line(Sequence sequence) {
        return sequence.deployment() + " incarnation " + sequence.members().incarnation()
                + (sequence.firstOpen() < 0
                        ? " waits for its first sample"
                        : " window " + sequence.firstOpen() + " open");
    }
}
