/** The history of a deployment as Kafka's topics hold it. */
@NullMarked
package dev.plimsoll.replay.topics;

import org.jspecify.annotations.NullMarked;
