/** How long experts take under the placements of policies: traces served step by step, workloads by expectation, redundancy. */
@NullMarked
package dev.plimsoll.replay.score.time;

import org.jspecify.annotations.NullMarked;
