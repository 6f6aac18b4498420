package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.MessageFormatter;

/**
 * Prints records of our topics, one line each, in Kafka's own console consumer:
 * {@code kafka-console-consumer.sh --formatter dev.plimsoll.wire.kafka.PlimsollFormatter --topic plimsoll.plan.v1 …}, with this
 * jar on the class path.
 *
 * <p>Properties, as {@code --formatter-property name=true}: {@code print.json} (a line of JSON instead of text),
 * {@code print.timestamp}, {@code print.partition}, {@code print.offset}, {@code print.key}. A record that cannot be read, or a topic
 * that is not ours, is said so on its line.
 */
public final class PlimsollFormatter implements MessageFormatter {
    private boolean json;
    private boolean timestamp;
    private boolean partition;
    private boolean offset;
    private boolean key;

    @Override
    public void configure(Map<String, ?> configs) {
        json = isSet(configs, "print.json");
        timestamp = isSet(configs, "print.timestamp");
        partition = isSet(configs, "print.partition");
        offset = isSet(configs, "print.offset");
        key = isSet(configs, "print.key");
    }

    private static boolean isSet(Map<String, ?> configs, String name) {
        return configs.containsKey(name) && Boolean.parseBoolean(String.valueOf(configs.get(name)));
    }

    @Override
    public void writeTo(ConsumerRecord<byte[], byte[]> record, PrintStream output) {
        StringBuilder line = new StringBuilder();
        if (timestamp) {
            line.append(Instant.ofEpochMilli(record.timestamp())).append(' ');
        }
        if (partition) {
            line.append("p").append(record.partition()).append(' ');
        }
        if (offset) {
            line.append("@").append(record.offset()).append(' ');
        }
        if (key && record.key() != null) {
            line.append(new String(record.key(), StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?"))
                    .append(' ');
        }
        output.println(line.append(value(record)));
    }

    private String value(ConsumerRecord<byte[], byte[]> record) {
        for (Topic<?> topic : Topic.all()) {
            if (topic.name().equals(record.topic())) {
                return value(topic, record);
            }
        }
        return "(" + record.topic() + " is not a topic of Plimsoll)";
    }

    private <T> String value(Topic<T> topic, ConsumerRecord<byte[], byte[]> record) {
        if (record.value() == null) {
            return "(deleted)";
        }
        try {
            T value = topic.decode(record.value());
            return json ? topic.json(value) : topic.line(value);
        } catch (WireException e) {
            return "(unreadable: " + e.reason() + " " + e.getMessage() + ")";
        }
    }
}
