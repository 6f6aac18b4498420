/** NumPy's files, and what plain arrays of load and of maps mean. Pure. */
@NullMarked
package dev.plimsoll.replay.format.npy;

import org.jspecify.annotations.NullMarked;
