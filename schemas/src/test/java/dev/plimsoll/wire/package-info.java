/** Tests of the wire. */
@NullMarked
package dev.plimsoll.wire;

import org.jspecify.annotations.NullMarked;
