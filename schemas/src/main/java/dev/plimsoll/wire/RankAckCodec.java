package dev.plimsoll.wire;

import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import java.util.Optional;

/** {@link RankAck}. */
final class RankAckCodec implements Codec<RankAck> {
    @Override
    public void write(RankAck ack, Fields to) {
        Shared.identity(to.put("summary", ack.summary()), ack.deployment(), ack.incarnation())
                .put("rank", ack.rank().index())
                .put("epoch", ack.epoch())
                .putSymbol("kind", ack.kind())
                .put("batch", ack.batch())
                .putHash("planHash", ack.planHash())
                .put("step", ack.step());
        ack.refusal().ifPresent(refusal -> to.putSymbol("refusal", refusal));
        ack.peer().ifPresent(peer -> to.put("peer", peer.index()));
        ack.cost()
                .ifPresent(cost -> to.putFields("cost")
                        .put("receivedBytes", cost.receivedBytes())
                        .put("transferNanos", cost.transferNanos())
                        .put("flipNanos", cost.flipNanos()));
    }

    @Override
    public RankAck read(Fields from) {
        return new RankAck(
                Shared.deployment(from),
                from.number("incarnation"),
                new RankId(from.integer("rank")),
                from.integer("epoch"),
                from.symbol("kind", RankAck.Kind.class),
                from.integer("batch"),
                from.has("refusal") ? Optional.of(from.symbol("refusal", Refusal.class)) : Optional.empty(),
                from.hash("planHash"),
                from.number("step"),
                from.has("cost") ? Optional.of(cost(from.fields("cost"))) : Optional.empty(),
                from.has("peer") ? Optional.of(new RankId(from.integer("peer"))) : Optional.empty());
    }

    private static FlipCost cost(Fields from) {
        return new FlipCost(from.number("receivedBytes"), from.number("transferNanos"), from.number("flipNanos"));
    }

    @Override
    public String line(RankAck ack) {
        return "ACK " + ack.deployment() + " " + ack.summary();
    }
}
