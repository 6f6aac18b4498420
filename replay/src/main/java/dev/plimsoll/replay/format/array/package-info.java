/** Arrays of numbers as they lie in the bytes of a file. Pure. */
@NullMarked
package dev.plimsoll.replay.format.array;

import org.jspecify.annotations.NullMarked;
