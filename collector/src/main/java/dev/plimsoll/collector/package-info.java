/**
 * The heat ring to the samples topic: {@link dev.plimsoll.collector.SampleAssembler} makes samples of snapshots, {@link
 * dev.plimsoll.collector.Collector} carries them.
 *
 * <p>Uses {@code device} (the ring's reader), {@code model}, {@code wire} and Reactor. Nothing here can slow an engine: a ring is read
 * under a seqlock and never written.
 */
@NullMarked
package dev.plimsoll.collector;

import org.jspecify.annotations.NullMarked;
