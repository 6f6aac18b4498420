package dev.plimsoll.wire;

import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.List;
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
                .put("initial", marked(members.initial()));
        TraitFields.write(members.traits(), to);
    }

    /** {@code [layer × slot]}, empty for none. */
    private static List<Integer> marked(Optional<Placement> initial) {
        return initial.map(placement -> Arrays.stream(placement.marked())
                        .flatMapToInt(Arrays::stream)
                        .boxed()
                        .toList())
                .orElse(List.of());
    }

    @Override
    public Membership read(Fields from) {
        Topology topology = new Topology(from.integers("nodeOfRank"), from.integer("slotsPerRank"));
        ModelShape shape = new ModelShape(
                from.text("model"), from.integer("experts"), from.integer("topK"), from.integers("layerIds"));
        return new Membership(
                Shared.deployment(from),
                from.number("incarnation"),
                shape,
                topology,
                from.text("engine"),
                from.symbol("phase", Phase.class),
                from.symbol("gather", GatherMode.class),
                from.integer("boundarySteps"),
                from.integer("windowSteps"),
                from.number("bytesPerExpert"),
                from.number("stagingBytesPerRank"),
                TraitFields.read(from),
                from.knows("initial") ? initial(from.integers("initial"), shape, topology) : Optional.empty());
    }

    private static Optional<Placement> initial(List<Integer> marked, ModelShape shape, Topology topology) {
        if (marked.isEmpty()) {
            return Optional.empty();
        }
        if (marked.size() != (long) shape.layers() * topology.slots()) {
            throw new IllegalArgumentException("an initial placement of " + marked.size() + " numbers is not one of "
                    + shape.layers() + " layers × " + topology.slots() + " slots");
        }
        int[][] layers = new int[shape.layers()][topology.slots()];
        for (int i = 0; i < marked.size(); i++) {
            layers[i / topology.slots()][i % topology.slots()] = marked.get(i);
        }
        return Optional.of(Placement.ofMarked(0, layers));
    }

    @Override
    public String line(Membership members) {
        return "MEMBERS " + members.deployment() + " incarnation " + members.incarnation() + ": "
                + members.shape().name() + ", " + members.shape().layers() + " layers × "
                + members.shape().experts() + " experts on "
                + members.topology().ranks() + " ranks × "
                + members.topology().slotsPerRank() + " slots, " + members.phase() + ", K="
                + members.boundarySteps() + " W=" + members.windowSteps() + ", gather "
                + members.gather() + ", " + members.engine() + TraitFields.line(members.traits())
                + (members.initial().isPresent() ? ", starts with a placement of its own" : "");
    }
}
