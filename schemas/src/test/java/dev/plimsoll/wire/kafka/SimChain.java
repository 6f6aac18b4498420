package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;

/** Whose numbers count a partition's input, and whose its acks; both names hash to the partition. */
record SimChain(Deployment ofInput, Deployment ofAcks) {
    static SimChain of(int partition, int partitions) {
        return new SimChain(
                Chain.deploymentOf("in", partition, partitions), Chain.deploymentOf("ack", partition, partitions));
    }
}
