/** Yesterday's traffic through today's planner: the engine of virtual time, what it reads and what it makes. */
@NullMarked
package dev.plimsoll.replay;

import org.jspecify.annotations.NullMarked;
