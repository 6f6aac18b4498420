package dev.plimsoll.model;

/** How an engine's routers share an expert's tokens among its replicas. */
public enum ReplicaShare {
    /** Evenly. */
    EVEN,
    /** Every source rank sends all of its tokens to one replica: its own where it has one, else one that is fixed for the rank. */
    BY_SOURCE,
    /** A source rank that has a replica keeps its tokens; the others spread theirs evenly over all replicas. */
    LOCAL_FIRST,
    /** By the token's row in the batch. */
    HASHED_ROW,
    /** Nobody says: fitted to the slot loads that windows have measured. */
    FITTED
}
