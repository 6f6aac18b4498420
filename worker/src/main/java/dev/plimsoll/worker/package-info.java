/**
 * From decisions to staged weights, flips and acks: the agent inside the engine's process ({@link
 * dev.plimsoll.worker.RankAgent}) and the role beside it ({@link dev.plimsoll.worker.NodeWorker}).
 *
 * <p>The agent uses {@code device}, {@code model} and {@code wire}; only the role uses {@code wire.kafka} and Reactor. What is
 * right to do is decided in {@code worker.protocol}.
 */
@NullMarked
package dev.plimsoll.worker;

import org.jspecify.annotations.NullMarked;
