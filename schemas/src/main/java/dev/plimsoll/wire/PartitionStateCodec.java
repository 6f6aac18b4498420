package dev.plimsoll.wire;

import dev.plimsoll.model.AggregatorState.OfPartition;

/** {@link OfPartition}. */
final class PartitionStateCodec implements Codec<OfPartition> {
    @Override
    public void write(OfPartition state, Fields to) {
        to.put("summary", line(state))
                .put("partition", state.partition())
                .put("asOf", state.asOf())
                .put("nextInputOffset", state.nextInputOffset())
                .put("topicId", state.topicId())
                .put("partitions", state.partitions());
    }

    @Override
    public OfPartition read(Fields from) {
        return new OfPartition(
                from.integer("partition"),
                from.number("asOf"),
                from.number("nextInputOffset"),
                from.text("topicId"),
                from.integer("partitions"));
    }

    @Override
    public String line(OfPartition state) {
        return "STATE partition " + state.partition() + " as of " + state.asOf() + ", needs from "
                + state.nextInputOffset();
    }
}
