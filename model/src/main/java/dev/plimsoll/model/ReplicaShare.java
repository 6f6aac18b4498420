package dev.plimsoll.model;

/** How an engine's routers share an expert's tokens among its replicas. */
public enum ReplicaShare {
    /** Evenly. */
    EVEN,
    /**
     * Every source rank sends all of its tokens for an expert to one replica: of <i>n</i>, in the order of their slots, that of the rank's
     * number modulo <i>n</i>.
     */
    BY_SOURCE,
    /** A source rank that has a replica keeps its tokens; the others send theirs to one replica each, which are dealt out in turn. */
    LOCAL_FIRST,
    /** By a hash of the token's row in its rank's batch: what that comes to is fitted. */
    HASHED_ROW,
    /** Nobody says: fitted to what windows have measured, by how many replicas an expert has and by the order of their slots. */
    FITTED
}
