/**
 * A mixture-of-experts engine on simulated ranks: it routes real or generated traffic over real weights buffers, drives the
 * device package as an engine does, and checks for every token that it met the expert its router picked.
 *
 * <p>May use the model, the device package, Jackson (for {@code trace.json}) and slf4j. It knows nothing of Kafka, plans or
 * windows: what happens at a boundary comes in as {@link dev.plimsoll.device.BoundaryHook}.
 */
@NullMarked
package dev.plimsoll.simulator;

import org.jspecify.annotations.NullMarked;
