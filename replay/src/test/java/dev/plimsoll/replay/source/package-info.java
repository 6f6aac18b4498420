@NullMarked
package dev.plimsoll.replay.source;

import org.jspecify.annotations.NullMarked;
