/**
 * The life of a partition in a {@link dev.plimsoll.wire.kafka.PartitionLoop}, as a pure state machine: which errors end what, when it
 * is tried again, and which records are left out. Knows no Kafka, clock or thread.
 */
@NullMarked
package dev.plimsoll.wire.life;

import org.jspecify.annotations.NullMarked;
