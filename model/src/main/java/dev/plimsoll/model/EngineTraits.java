package dev.plimsoll.model;

/**
 * What an engine is like, as far as it matters to counting, deciding and moving.
 *
 * @param idleSlots whether it can leave a slot idle: hold an expert there that no router sends to
 * @param movesWeights whether it moves weights by itself: it is given a target map, and says when it has got there
 * @param load what its counters count
 * @param share how its routers share an expert's tokens among its replicas
 * @param deadlines how long its ranks may take to answer
 */
public record EngineTraits(
        boolean idleSlots, boolean movesWeights, LoadKind load, ReplicaShare share, Deadlines deadlines) {
    /** An engine that uses every slot, counts what it computes, shares evenly and leaves moving to us. */
    public static final EngineTraits USUAL =
            new EngineTraits(false, false, LoadKind.COMPUTED, ReplicaShare.EVEN, Deadlines.DEFAULT);

    public EngineTraits {
        if (idleSlots && movesWeights) {
            throw new IllegalArgumentException(
                    "an engine that moves weights by itself is given a map of experts only: it has no idle slots");
        }
    }

    public EngineTraits withIdleSlots(boolean can) {
        return new EngineTraits(can, movesWeights, load, share, deadlines);
    }

    public EngineTraits withMovesWeights(boolean does) {
        return new EngineTraits(idleSlots, does, load, share, deadlines);
    }

    public EngineTraits withLoad(LoadKind kind) {
        return new EngineTraits(idleSlots, movesWeights, kind, share, deadlines);
    }

    public EngineTraits withShare(ReplicaShare way) {
        return new EngineTraits(idleSlots, movesWeights, load, way, deadlines);
    }

    public EngineTraits withDeadlines(Deadlines other) {
        return new EngineTraits(idleSlots, movesWeights, load, share, other);
    }
}
