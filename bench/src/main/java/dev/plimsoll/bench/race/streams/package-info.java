/**
 * Kafka Streams' contestants: the same windows from the same samples, written as well as we can. They know one placement state and
 * complete windows, so they have less to do than our own aggregator, never more.
 */
@NullMarked
package dev.plimsoll.bench.race.streams;

import org.jspecify.annotations.NullMarked;
