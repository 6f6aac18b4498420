package dev.plimsoll.wire;

import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.ReplicaShare;

/** {@link EngineTraits}, a part of a membership. */
final class TraitFields {
    private TraitFields() {}

    static void write(EngineTraits traits, Fields to) {
        to.put("idleSlots", traits.idleSlots())
                .put("movesWeights", traits.movesWeights())
                .putSymbol("load", traits.load())
                .putSymbol("replicaShare", traits.share())
                .put("acceptBoundaries", traits.deadlines().accept())
                .put("progressBoundaries", traits.deadlines().progress());
    }

    static EngineTraits read(Fields from) {
        // The first release's aggregator state holds memberships that say nothing of it.
        if (!from.knows("idleSlots")) {
            return EngineTraits.USUAL;
        }
        return new EngineTraits(
                from.flag("idleSlots"),
                from.flag("movesWeights"),
                from.symbol("load", LoadKind.class),
                from.symbol("replicaShare", ReplicaShare.class),
                new Deadlines(
                        orUsual(from.integer("acceptBoundaries"), Deadlines.DEFAULT.accept()),
                        orUsual(from.integer("progressBoundaries"), Deadlines.DEFAULT.progress())));
    }

    private static int orUsual(int boundaries, int usual) {
        return boundaries == 0 ? usual : boundaries;
    }

    /** What is not usual about an engine, each after a comma. */
    static String line(EngineTraits traits) {
        Deadlines deadlines = traits.deadlines();
        return (traits.idleSlots() ? ", slots may stand idle" : "")
                + (traits.movesWeights() ? ", moves weights by itself" : "")
                + (traits.load() == LoadKind.COMPUTED ? "" : ", counts " + traits.load())
                + (traits.share() == ReplicaShare.EVEN ? "" : ", replicas share " + traits.share())
                + (deadlines.equals(Deadlines.DEFAULT)
                        ? ""
                        : ", " + deadlines.accept() + " boundaries to accept and " + deadlines.progress() + " to flip");
    }
}
