/**
 * The only code that imports Kafka clients: the consumer loop with its transactions, writers, readers and the bridge to Reactor.
 *
 * <p>One thread owns each consumer and producer. Decoding is ours and happens behind {@code poll}, which so never throws
 * for content.
 */
@NullMarked
package dev.plimsoll.wire.kafka;

import org.jspecify.annotations.NullMarked;
