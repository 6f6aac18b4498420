/**
 * The algorithms that turn loads into placements, and the gate that decides whether a change pays: pure functions.
 *
 * <p>May depend on {@code dev.plimsoll.model} only. No clocks, threads or hidden randomness: same input and seed, same bytes on
 * any JVM. Doubles are added in a fixed order and {@code Math.pow} and its kin, whose last bit is free, are not used.
 */
@NullMarked
package dev.plimsoll.planner.placement;

import org.jspecify.annotations.NullMarked;
