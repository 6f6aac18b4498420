/**
 * The planner's role: windows in, decisions out, one transaction at a time.
 *
 * <p>Ties the pure packages {@code planner.placement} and {@code planner.protocol} to the topics; may depend on
 * {@code dev.plimsoll.model} and {@code dev.plimsoll.wire}. One thread, the loop's, runs all of it.
 */
@NullMarked
package dev.plimsoll.planner;

import org.jspecify.annotations.NullMarked;
