package dev.plimsoll.bench.race.streams;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/**
 * The value of the plain contestant's store: the sums of one node's ranks over one window.
 *
 * @param ranks how many
 * @param present a bit for every boundary
 * @param sums {@code [part][rank][layer][slot]}
 */
record NodeSums(int ranks, long present, long[] sums) {
    static Serde<NodeSums> serde() {
        Serializer<NodeSums> serializer = (topic, value) -> {
            if (value == null) {
                return null;
            }
            ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES + Long.BYTES + value.sums.length * Long.BYTES);
            bytes.putInt(value.ranks).putLong(value.present).asLongBuffer().put(value.sums);
            return bytes.array();
        };
        Deserializer<NodeSums> deserializer = (topic, value) -> {
            if (value == null) {
                return null;
            }
            ByteBuffer bytes = ByteBuffer.wrap(value);
            int ranks = bytes.getInt();
            long present = bytes.getLong();
            long[] sums = new long[bytes.remaining() / Long.BYTES];
            bytes.asLongBuffer().get(sums);
            return new NodeSums(ranks, present, sums);
        };
        return Serdes.serdeFrom(serializer, deserializer);
    }
}
