/**
 * The vocabulary: ids, topology, placements, loads, balance, and what travels between the parts, as values that are valid if
 * they exist.
 *
 * <p>Knows the JDK only: no Kafka, Avro, Reactor, clocks or threads. Everything is immutable and may be shared by threads.
 */
@NullMarked
package dev.plimsoll.model;

import org.jspecify.annotations.NullMarked;
