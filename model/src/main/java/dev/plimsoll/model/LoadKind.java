package dev.plimsoll.model;

/** What an engine's load counters count. */
public enum LoadKind {
    /** Tokens that the rank's own slots computed, {@code [rank][layer][local slot]}. */
    COMPUTED,
    /**
     * Tokens that the rank's own router sent to every slot, {@code [rank][layer][slot]} over all ranks' slots. Summed over ranks it is
     * what was computed: in the gather by the library, in gather mode none by the aggregator.
     */
    ROUTED_TO,
    /**
     * As {@link #ROUTED_TO}, where every rank routes the tokens of all ranks: the columns of a rank's own slots are then what it computed,
     * and are all that it counts.
     */
    REPLICATED
}
