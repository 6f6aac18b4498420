package dev.plimsoll.aggregator.window;

/** What became of a record, or of one rank's part (cell) of a sample. Every cell that is read has exactly one fate. */
public enum Fate {
    /** Added to its window. */
    ACCEPTED(false),
    /** Was there already, and equal. */
    DUPLICATE(false),
    /** Overlaps what was there already and is not equal to it; the first in log order counts. */
    CONFLICT(false),
    /** Spans a window's border or a flip, so no window can have it. */
    UNATTRIBUTED(false),
    /** Its window is closed. */
    LATE(false),
    /** Its window is too far ahead of the first open one. */
    TOO_FAR(true),
    /** Of an incarnation that has ended. */
    STALE_INCARNATION(true),
    /** Of an incarnation whose membership record has not been seen. */
    PREMATURE_INCARNATION(true),
    /** Of a deployment that has no membership record. */
    UNKNOWN_DEPLOYMENT(true),
    /** Ranks, layers or slots are not those of the membership record. */
    SHAPE(true),
    /** Does not begin and end at boundaries, or steps are beyond any plausible number. */
    OFF_BOUNDARY(true),
    /** Another phase than the incarnation's. */
    PHASE(true),
    /**
     * It counts another kind of load (tokens computed, or tokens sent) than the engine of the membership record gives, or than its window
     * is made of: sums never mix them.
     */
    KIND(true),
    /** A counter beyond what a cell can count, or counters whose sum is. */
    TOO_LARGE(true),
    /** More placement states in one window than it has boundaries. */
    TOO_MANY_STATES(true),
    /** The open windows of its deployment have no room for it. */
    NO_MEMORY(true),
    /** A second, different membership record of the same incarnation. */
    MEMBERS_CONFLICT(true),
    /** A membership record whose incarnation is far beyond the clock: a later one by the clock could never begin. */
    INCARNATION_AHEAD(true),
    /** A membership record whose windows would not fit into memory. */
    MEMBERS_TOO_LARGE(true),
    /** A membership record of one deployment too many in this partition. */
    TOO_MANY_DEPLOYMENTS(true);

    private final boolean rejected;

    Fate(boolean rejected) {
        this.rejected = rejected;
    }

    /** Whether the whole record could not be used. */
    public boolean rejected() {
        return rejected;
    }
}
