/**
 * The rank's side of a decision as a pure state machine: what it votes, when it transfers, when it flips.
 *
 * <p>May use {@code dev.plimsoll.model} and the JDK only: no Kafka, Avro, Reactor, logging, clocks or threads. Whoever runs it
 * carries out the effects in the order given, on one thread.
 */
@NullMarked
package dev.plimsoll.worker.protocol;

import org.jspecify.annotations.NullMarked;
