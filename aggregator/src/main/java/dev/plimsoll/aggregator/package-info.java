/**
 * The aggregator: folds samples into windows and commits them exactly once.
 *
 * <p>May use {@code dev.plimsoll.aggregator.window}, {@code model}, {@code wire} and {@code wire.kafka}; Kafka itself stays behind the
 * latter. All work on a partition happens on its loop's one thread.
 */
@NullMarked
package dev.plimsoll.aggregator;

import org.jspecify.annotations.NullMarked;
