/** Whether what a live planner decided can be decided again from what the topics have. */
@NullMarked
package dev.plimsoll.replay.verify;

import org.jspecify.annotations.NullMarked;
