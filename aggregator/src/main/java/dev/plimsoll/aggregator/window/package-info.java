/**
 * Windows as a function of the log: the fold that turns the records of one partition of the samples topic into closed windows.
 *
 * <p>Depends on {@code dev.plimsoll.model} only: no Kafka, Avro, clocks or threads. Time is the append time of records. Nothing here
 * is safe for use by several threads at once; one thread folds one partition.
 */
@NullMarked
package dev.plimsoll.aggregator.window;

import org.jspecify.annotations.NullMarked;
