/** One file to look at: what a replay found, for people. */
@NullMarked
package dev.plimsoll.replay.report;

import org.jspecify.annotations.NullMarked;
