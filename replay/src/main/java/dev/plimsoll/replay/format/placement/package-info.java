/** Files that engines start with, made of placements. Pure but for the files. */
@NullMarked
package dev.plimsoll.replay.format.placement;

import org.jspecify.annotations.NullMarked;
