/** How well policies place experts: workloads, runs, scores, and public planners beside them. */
@NullMarked
package dev.plimsoll.replay.score;

import org.jspecify.annotations.NullMarked;
