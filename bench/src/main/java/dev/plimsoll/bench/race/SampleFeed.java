package dev.plimsoll.bench.race;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Appends samples as collectors do: our codec, uncompressed, batches of at most 16 KB. */
final class SampleFeed implements AutoCloseable {
    private final KafkaProducer<byte[], byte[]> producer;
    private final int partitions;
    private final AtomicReference<Exception> lost = new AtomicReference<>();

    SampleFeed(String bootstrapServers, int partitions) {
        this.partitions = partitions;
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrapServers,
                        "compression.type",
                        "none",
                        "linger.ms",
                        "5",
                        "buffer.memory",
                        Integer.toString(64 << 20),
                        "client.id",
                        "race-feed"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    /** Appends all of every deployment's log, all of them at the same pace. */
    void fill(List<DeploymentLog> logs, long boundaries) {
        logs.forEach(log -> begin(log.members()));
        for (long boundary = 0; boundary < boundaries; boundary++) {
            for (DeploymentLog log : logs) {
                for (LoadSample sample : log.at(boundary)) {
                    append(sample);
                }
            }
        }
        flush();
    }

    void begin(Membership members) {
        append(members);
        flush();
    }

    /** The append time of the record, when the broker has it. */
    CompletableFuture<Long> append(SampleRecord record) {
        CompletableFuture<Long> appended = new CompletableFuture<>();
        producer.send(
                new ProducerRecord<>(
                        Topic.SAMPLES.name(),
                        Topic.partition(record.deployment(), partitions),
                        Topic.SAMPLES.key(record).getBytes(StandardCharsets.UTF_8),
                        Topic.SAMPLES.encode(record)),
                (metadata, failure) -> {
                    if (failure == null) {
                        appended.complete(metadata.timestamp());
                    } else {
                        lost.compareAndSet(null, failure);
                        appended.completeExceptionally(failure);
                    }
                });
        return appended;
    }

    /** @throws IllegalStateException when the broker has not taken all records */
    void flush() {
        producer.flush();
        Optional.ofNullable(lost.get()).ifPresent(e -> {
            throw new IllegalStateException("a sample was not written: " + e, e);
        });
    }

    @Override
    public void close() {
        producer.close();
    }
}
