/** What a replay found, as values: the engine makes them, report and export read them. */
@NullMarked
package dev.plimsoll.replay.result;

import org.jspecify.annotations.NullMarked;
