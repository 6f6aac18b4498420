package dev.plimsoll.wire;

import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import java.util.Optional;

/** {@link Membership}. */
final class MembershipCodec implements Codec<Membership> {
    @Override
    public void write(Membership members, Fields to) {
        Shared.identity(to.put("summary", line(members)), members.deployment(), members.incarnation())
                .put("model", members.shape().name())
                .put("experts", members.shape().experts())
                .put("topK", members.shape().topK())
                .put("layerIds", members.shape().layerIds())
                .put("nodeOfRank", members.topology().nodeOfRank())
                .put("slotsPerRank", members.topology().slotsPerRank())
                .put("engine", members.engine())
                .putSymbol("phase", members.phase())
                .putSymbol("gather", members.gather())
                .put("boundarySteps", members.boundarySteps())
                .put("windowSteps", members.windowSteps())
                .put("bytesPerExpert", members.bytesPerExpert())
                .put("stagingBytesPerRank", members.stagingBytesPerRank())
                .put("idleSlots", members.idleSlots());
    }

    @Override
    public Membership read(Fields from) {
        return new Membership(
                Shared.deployment(from),
                from.number("incarnation"),
                new ModelShape(
                        from.text("model"), from.integer("experts"), from.integer("topK"), from.integers("layerIds")),
                new Topology(from.integers("nodeOfRank"), from.integer("slotsPerRank")),
                from.text("engine"),
                from.symbol("phase", Phase.class),
                from.symbol("gather", GatherMode.class),
                from.integer("boundarySteps"),
                from.integer("windowSteps"),
                from.number("bytesPerExpert"),
                from.number("stagingBytesPerRank"),
                // The first release's aggregator state holds memberships without it.
                EngineTraits.USUAL.withIdleSlots(from.flag("idleSlots", false)),
                Optional.empty());
    }

    @Override
    public String line(Membership members) {
        return "MEMBERS " + members.deployment() + " incarnation " + members.incarnation() + ": "
                + members.shape().name() + ", " + members.shape().layers() + " layers × "
                + members.shape().experts() + " experts on "
                + members.topology().ranks() + " ranks × "
                + members.topology().slotsPerRank() + " slots, " + members.phase() + ", K="
                + members.boundarySteps() + " W=" + members.windowSteps() + ", gather "
                + members.gather() + ", " + members.engine() + (members.idleSlots() ? ", slots may stand idle" : "");
    }
}
