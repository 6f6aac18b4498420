package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import dev.plimsoll.wire.WireException.Reason;
import dev.plimsoll.wire.life.PartitionLife;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Between Kafka's records and ours. */
final class Records {
    /** Bytes of a key that are looked at where it is shown to people. */
    private static final int MOST_OF_KEY = 1_024;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private Records() {}

    static <T> Received<T> decode(Topic<T> topic, ConsumerRecord<byte[], ByteBuffer> record) throws WireException {
        return new Received<>(
                topic, record.partition(), record.offset(), record.timestamp(), topic.decode(bytes(record)));
    }

    /** The same, refusing what stands in another partition than its deployment's. */
    static <T> Received<T> decode(Topic<T> topic, ConsumerRecord<byte[], ByteBuffer> record, int partitions)
            throws WireException {
        Received<T> received = decode(topic, record);
        if (!topic.belongs(received.value(), record.partition(), partitions)) {
            throw new WireException(
                    Reason.MISPLACED,
                    "'" + topic.key(received.value()) + "' stands in partition " + record.partition() + " of "
                            + partitions + ", where its key does not hash to: its producer needs Kafka's default"
                            + " partitioner (murmur2)");
        }
        return received;
    }

    /** Why a record is left out at which tasks have crashed too often. */
    static WireException crashed() {
        return new WireException(
                Reason.CRASHED,
                "it has made its task fail " + PartitionLife.CRASHES
                        + " times; the log of this process has the errors");
    }

    static Quarantined quarantined(ConsumerRecord<byte[], ByteBuffer> record, WireException why) {
        ByteBuffer bytes = bytes(record);
        // One that is misplaced can be read where it stands, and whoever misplaces one misplaces them all.
        int kept = why.reason() == Reason.MISPLACED ? 0 : Quarantined.KEPT_BYTES;
        return new Quarantined(
                record.topic(),
                record.partition(),
                record.offset(),
                record.timestamp(),
                record.key() == null
                        ? ""
                        : new String(
                                record.key(), 0, Math.min(record.key().length, MOST_OF_KEY), StandardCharsets.UTF_8),
                why.reason().name(),
                String.valueOf(why.getMessage()),
                HexFormat.of().formatHex(first(bytes, kept)),
                bytes.remaining());
    }

    private static byte[] first(ByteBuffer bytes, int most) {
        byte[] first = new byte[Math.min(bytes.remaining(), most)];
        bytes.duplicate().get(first);
        return first;
    }

    static <T> ProducerRecord<byte[], byte[]> encode(Output<T> output, int partitions) {
        Topic<T> topic = output.topic();
        T value = output.value();
        return new ProducerRecord<>(
                topic.name(),
                topic.partition(output.deployment(), value, partitions),
                output.timestampMillis().isPresent() ? output.timestampMillis().getAsLong() : null,
                topic.key(value).getBytes(StandardCharsets.UTF_8),
                output.removal() ? null : topic.encode(value));
    }

    /** Whether a record with this key is the deployment's, told without decoding it. */
    static boolean isOf(Topic<?> topic, Deployment deployment, byte @Nullable [] key) {
        if (key == null) {
            return false;
        }
        String text = new String(key, StandardCharsets.UTF_8);
        int layer = topic == Topic.PLACEMENTS ? text.lastIndexOf('/') : -1;
        return (layer < 0 ? text : text.substring(0, layer)).equals(deployment.id());
    }

    /** The value; none of our records is empty, so a tombstone is one that cannot be read. */
    private static ByteBuffer bytes(ConsumerRecord<byte[], ByteBuffer> record) {
        return record.value() == null ? NOTHING : record.value();
    }
}
