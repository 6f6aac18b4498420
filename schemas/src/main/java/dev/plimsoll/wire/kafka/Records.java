package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Between Kafka's records and ours. */
final class Records {
    private static final byte[] NOTHING = {};

    private Records() {}

    static <T> Received<T> decode(Topic<T> topic, ConsumerRecord<byte[], byte[]> record) throws WireException {
        return new Received<>(
                topic, record.partition(), record.offset(), record.timestamp(), topic.decode(bytes(record)));
    }

    static Quarantined quarantined(ConsumerRecord<byte[], byte[]> record, WireException why) {
        byte[] bytes = bytes(record);
        return new Quarantined(
                record.topic(),
                record.partition(),
                record.offset(),
                why.reason().name(),
                String.valueOf(why.getMessage()),
                HexFormat.of().formatHex(Arrays.copyOf(bytes, Math.min(bytes.length, Quarantined.KEPT_BYTES))),
                bytes.length);
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
    private static byte[] bytes(ConsumerRecord<byte[], byte[]> record) {
        return record.value() == null ? NOTHING : record.value();
    }
}
