/**
 * The planner's side of a decision as a pure state machine: {@code (state, event, now) → (state, effects)}.
 *
 * <p>May depend on {@code dev.plimsoll.model} only. Knows no log, clock or thread: commands to be written are effects, time is an
 * argument, and what was written before comes back as a {@link dev.plimsoll.planner.protocol.PlanLog}.
 */
@NullMarked
package dev.plimsoll.planner.protocol;

import org.jspecify.annotations.NullMarked;
