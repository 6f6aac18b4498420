/** Watching a running loop from its topics: the live view and the report at the end. */
@NullMarked
package dev.plimsoll.app.watch;

import org.jspecify.annotations.NullMarked;
