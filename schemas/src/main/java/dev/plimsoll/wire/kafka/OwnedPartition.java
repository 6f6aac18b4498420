package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One assigned partition of a {@link PartitionLoop}: its task, its producer and how both are made anew. All bookkeeping of a
 * partition is in here and dies with it. Owned by the loop's thread.
 *
 * <p>Without a task the partition is paused and waits for {@link #recover}. A partition whose input has never had a record gets
 * its producer with the first record or the first transaction: a cluster of 64 partitions has mostly empty ones. What the task
 * did before it was fenced may be outdated then, so fencing always means a new task.
 */
final class OwnedPartition<I> {
    private final TopicPartition input;
    private final Topic<I> topic;
    private final PartitionLoop<I> loop;
    private final Consumer<byte[], byte[]> consumer;
    private final AssignedReader reader;
    private @Nullable PartitionTask<I> task;
    private @Nullable KafkaProducer<byte[], byte[]> producer;
    private boolean mustFence;
    private Map<String, Topic<?>> companions = Map.of();

    OwnedPartition(
            TopicPartition input,
            Topic<I> topic,
            PartitionLoop<I> loop,
            Consumer<byte[], byte[]> consumer,
            AssignedReader reader) {
        this.input = input;
        this.topic = topic;
        this.loop = loop;
        this.consumer = consumer;
        this.reader = reader;
    }

    TopicPartition input() {
        return input;
    }

    boolean running() {
        return task != null;
    }

    /** Fences the predecessor where there can be one, then makes a task from what is committed. */
    void recover() {
        long end = AssignedReader.end(consumer, input);
        if (producer == null && (mustFence || end > 0)) {
            KafkaProducer<byte[], byte[]> fencing = loop.newProducer(input.partition());
            producer = fencing;
            fencing.initTransactions();
        }
        OffsetAndMetadata committed = consumer.committed(Set.of(input)).get(input);
        PartitionTask<I> recovered = loop.newTask(input.partition());
        List<Topic<?>> read = recovered.companions();
        Map<String, Long> positions = new HashMap<>();
        for (Topic<?> companion : read) {
            positions.put(companion.name(), reader.end(of(companion)));
        }
        InputLog log = loop.inputLog(
                input.partition(),
                AssignedReader.beginning(consumer, input),
                end,
                committed == null ? OptionalLong.empty() : OptionalLong.of(committed.offset()),
                committed == null ? "" : committed.metadata());
        for (Optional<RecoveryRead<?>> next = recovered.nextRead(log);
                next.isPresent();
                next = recovered.nextRead(log)) {
            TopicPartition other = of(next.get().topic());
            positions.put(other.topic(), reader.read(next.get(), other, loop::progressed));
        }
        long position = recovered.recovered(log);
        Map<String, Topic<?>> byName = new HashMap<>();
        for (Topic<?> companion : read) {
            byName.put(companion.name(), companion);
            reader.addCompanion(of(companion), positions.getOrDefault(companion.name(), 0L));
        }
        companions = byName;
        // Behind the log's start there is nothing to read; the task was told where the log starts.
        consumer.seek(input, Math.max(position, log.first()));
        consumer.resume(Set.of(input));
        task = recovered;
    }

    /** One round: what came is folded, what is ready is committed. */
    void round(
            List<ConsumerRecord<byte[], byte[]>> records,
            List<ConsumerRecord<byte[], byte[]>> ofCompanions,
            long nowMillis) {
        PartitionTask<I> running = task;
        if (running == null) {
            return;
        }
        if (producer == null && !records.isEmpty()) {
            fenceNext();
            return;
        }
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Received<I> received;
            try {
                received = Records.decode(topic, record);
            } catch (WireException e) {
                running.onUnreadable(Records.quarantined(record, e), record.timestamp());
                continue;
            }
            running.onRecord(received);
        }
        for (ConsumerRecord<byte[], byte[]> record : ofCompanions) {
            Topic<?> companion = companions.get(record.topic());
            if (companion != null && record.value() != null) {
                onCompanion(running, companion, record);
            }
        }
        running.onPoll(nowMillis);
        for (Optional<Transaction> taken = running.takeTransaction();
                taken.isPresent();
                taken = running.takeTransaction()) {
            if (producer == null) {
                fenceNext();
                return;
            }
            commit(producer, taken.get());
        }
    }

    private static <I> void onCompanion(
            PartitionTask<I> task, Topic<?> companion, ConsumerRecord<byte[], byte[]> record) {
        Received<?> received;
        try {
            received = Records.decode(companion, record);
        } catch (WireException e) {
            AssignedReader.warnUnreadable(record, e);
            return;
        }
        task.onCompanion(received);
    }

    private void commit(KafkaProducer<byte[], byte[]> writer, Transaction transaction) {
        long begin = System.nanoTime();
        writer.beginTransaction();
        for (Output<?> output : transaction.outputs()) {
            int partitions = writer.partitionsFor(output.topic().name()).size();
            // A failed send fails the commit.
            var unused = writer.send(Records.encode(output, partitions));
        }
        // The metadata is read here, after all callbacks have run and while the partition is ours.
        writer.sendOffsetsToTransaction(
                Map.of(input, new OffsetAndMetadata(transaction.nextInputOffset(), transaction.note())),
                consumer.groupMetadata());
        try {
            writer.commitTransaction();
        } catch (TimeoutException e) {
            // The outcome is unknown. Asking again resolves it, and so does a new producer's fence if this fails too.
            writer.commitTransaction();
        }
        loop.committed(input.partition(), transaction.outputs().size(), Duration.ofNanos(System.nanoTime() - begin));
    }

    private void fenceNext() {
        mustFence = true;
        drop();
    }

    /** Throws task and producer away; a transaction that is open is aborted by the next producer's fence. */
    void drop() {
        task = null;
        companions = Map.of();
        reader.removeCompanions(input.partition());
        KafkaProducer<byte[], byte[]> closing = producer;
        producer = null;
        if (closing != null) {
            mustFence = true;
            closing.close(Duration.ZERO);
        }
    }

    private TopicPartition of(Topic<?> other) {
        return new TopicPartition(other.name(), input.partition());
    }
}
