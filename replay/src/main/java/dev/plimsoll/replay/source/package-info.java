/** The past as topics have it: one deployment's windows with their loads, and what was decided then. */
@NullMarked
package dev.plimsoll.replay.source;

import org.jspecify.annotations.NullMarked;
