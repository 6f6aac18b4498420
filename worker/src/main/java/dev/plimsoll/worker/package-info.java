/**
 * From decisions to orders for the ranks of a node, and from what ranks say to acks: the role beside the engines ({@link
 * dev.plimsoll.worker.NodeWorker}).
 *
 * <p>Orders are values ({@link dev.plimsoll.worker.Orders}) that know no Kafka and no thread; only the role uses {@code wire.kafka} and
 * Reactor. What ranks do with them is the library's: {@code plm_agent_*}.
 */
@NullMarked
package dev.plimsoll.worker;

import org.jspecify.annotations.NullMarked;
