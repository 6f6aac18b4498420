/** Files that engines write and start with, read into our words and written from them. Pure. */
@NullMarked
package dev.plimsoll.replay.format;

import org.jspecify.annotations.NullMarked;
