/** Tests of clients against a real broker. */
@NullMarked
package dev.plimsoll.wire.kafka;

import org.jspecify.annotations.NullMarked;
