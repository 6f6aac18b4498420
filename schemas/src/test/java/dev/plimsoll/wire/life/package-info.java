/** Tests of the life of a partition. */
@NullMarked
package dev.plimsoll.wire.life;

import org.jspecify.annotations.NullMarked;
