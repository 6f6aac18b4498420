package dev.plimsoll.model;

/** Why a rank refuses a decision. */
public enum Refusal {
    /** It is based on another version than the rank serves. */
    STALE_BASE,
    /** It belongs to another incarnation. */
    FOREIGN_INCARNATION,
    /** {@link PlacementRules} found it wrong. */
    INVALID_PLAN,
    /** Its batches do not fit the rank's staging memory. */
    NO_MEMORY,
    /** Another decision is in flight. */
    BUSY,
    /** The same epoch came before with another hash. */
    HASH_MISMATCH,
    /** The ranks cannot vote: gather mode {@code none}. */
    OBSERVE_ONLY,
    /** Weights of one of its batches did not arrive or did not verify: the rank will never be ready to flip it. */
    TRANSFER_FAILED,
    /** The rank's mailbox is broken, so it hears no order any more. */
    DEAF,
    /** The rank has not heard how the decision before was settled, and asks for it. */
    BEHIND,
    /** The engine has changed its map by itself: only a new incarnation can say to what. */
    ENGINE_CHANGED
}
