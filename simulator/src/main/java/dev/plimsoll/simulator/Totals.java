package dev.plimsoll.simulator;

/**
 * What the ranks of this process have done so far.
 *
 * @param steps steps completed
 * @param tokens tokens routed: one per lane and step
 * @param routed assignments (tokens × layers × top-k) sent to slots, here or in other processes
 * @param computed assignments computed in slots of this process
 * @param misrouted of {@code computed}, those that met another expert than the router picked
 */
public record Totals(long steps, long tokens, long routed, long computed, long misrouted) {}
