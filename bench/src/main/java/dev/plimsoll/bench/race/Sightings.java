package dev.plimsoll.bench.race;

import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Sees committed summaries as soon as they can be read, from the beginning of the topic. Threads: one. */
final class Sightings implements AutoCloseable {
    /** @param seenMillis the clock when it was read */
    record Seen(WindowSummary summary, long seenMillis) {}

    private final KafkaConsumer<byte[], byte[]> consumer;

    Sightings(String bootstrapServers, String topic, int partitions) {
        this.consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrapServers,
                        "isolation.level",
                        "read_committed",
                        "auto.offset.reset",
                        "earliest",
                        "client.id",
                        "race-sightings"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        Set<TopicPartition> all = new HashSet<>();
        IntStream.range(0, partitions).forEach(partition -> all.add(new TopicPartition(topic, partition)));
        consumer.assign(all);
        consumer.seekToBeginning(all);
    }

    /** What has become visible, after at most so long. */
    List<Seen> poll(Duration longest) throws WireException {
        var records = consumer.poll(longest);
        long now = System.currentTimeMillis();
        List<Seen> summaries = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            summaries.add(new Seen(Topic.WINDOW_SUMMARIES.decode(record.value()), now));
        }
        return summaries;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
