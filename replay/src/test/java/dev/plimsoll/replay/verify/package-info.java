@NullMarked
package dev.plimsoll.replay.verify;

import org.jspecify.annotations.NullMarked;
