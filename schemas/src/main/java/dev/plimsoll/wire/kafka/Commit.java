package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * One transaction on its way to the brokers: encoded, sent in slices, committed. Runs on a helper's thread.
 *
 * <p>It has {@value #PATIENCE_SECONDS} s, and a second for every MiB: so long are calls that timed out made again, which is safe, as
 * they go on with the same request. After that nobody knows what became of it, and only fencing resolves that. More than
 * {@value #LARGEST_MIB} MiB are refused, as a transaction that cannot be in time would be tried again and again.
 */
final class Commit {
    static final int LARGEST_MIB = 64;
    static final int PATIENCE_SECONDS = 30;
    /** Longer than the largest may take: brokers abort what takes longer. */
    static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(PATIENCE_SECONDS + LARGEST_MIB + 16);

    private static final int MIB = 1 << 20;
    private static final int SLICE_BYTES = 4 * MIB;
    /** What a record takes beside its key and value, generously. */
    private static final int RECORD_OVERHEAD = 64;

    private final Producer<byte[], byte[]> writer;
    private final Transaction transaction;
    private final Map<TopicPartition, OffsetAndMetadata> offset;
    private final ConsumerGroupMetadata member;
    private final LoopClock clock;

    /** @param member as it is on the loop's thread while the partition is ours */
    Commit(
            Producer<byte[], byte[]> writer,
            Transaction transaction,
            TopicPartition input,
            long empty,
            ConsumerGroupMetadata member,
            LoopClock clock) {
        this.writer = writer;
        this.transaction = transaction;
        this.offset = Map.of(input, new CommitNote(empty, transaction.note()).at(transaction.nextInputOffset()));
        this.member = member;
        this.clock = clock;
    }

    /** What a writer of transactions needs for these bounds, where the user has not said otherwise. */
    static Map<String, Object> writerProperties(KafkaSettings settings, String transactionalId) {
        Map<String, Object> properties =
                ClientProperties.transactional(settings, transactionalId, ClientProperties.CALL_TIMEOUT);
        if (!settings.properties().containsKey(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG)) {
            properties.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) TRANSACTION_TIMEOUT.toMillis());
        }
        properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int)
                Duration.ofSeconds(PATIENCE_SECONDS).toMillis());
        return properties;
    }

    /** Returns how long it took, once everything is committed. */
    Duration run() {
        long begin = clock.nanoTime();
        Map<String, Integer> partitions = partitions(begin + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS));
        long bytes = 0;
        List<List<ProducerRecord<byte[], byte[]>>> slices = new ArrayList<>();
        List<ProducerRecord<byte[], byte[]>> slice = new ArrayList<>();
        long sliceBytes = 0;
        for (Output<?> output : transaction.outputs()) {
            ProducerRecord<byte[], byte[]> record = Records.encode(
                    output, partitions.getOrDefault(output.topic().name(), 1));
            long size = RECORD_OVERHEAD + record.key().length + (record.value() == null ? 0 : record.value().length);
            bytes += size;
            if (bytes > (long) LARGEST_MIB * MIB) {
                throw new RefusedException(
                        "a transaction of " + transaction.outputs().size() + " records is larger than the "
                                + LARGEST_MIB + " MiB that can be committed in time (" + offset
                                + "): make what is written at once"
                                + " smaller, with smaller deployments or shorter windows");
            }
            if (sliceBytes > 0 && sliceBytes + size > SLICE_BYTES) {
                slices.add(slice);
                slice = new ArrayList<>();
                sliceBytes = 0;
            }
            slice.add(record);
            sliceBytes += size;
        }
        slices.add(slice);
        long deadline = clock.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS + bytes / MIB);
        writer.beginTransaction();
        for (List<ProducerRecord<byte[], byte[]>> next : slices) {
            send(next);
        }
        patiently(deadline, () -> {
            writer.sendOffsetsToTransaction(offset, member);
            return true;
        });
        patiently(deadline, () -> {
            writer.commitTransaction();
            return true;
        });
        return Duration.ofNanos(clock.nanoTime() - begin);
    }

    private Map<String, Integer> partitions(long deadline) {
        Map<String, Integer> partitions = new HashMap<>();
        for (Output<?> output : transaction.outputs()) {
            String topic = output.topic().name();
            if (!partitions.containsKey(topic)) {
                partitions.put(
                        topic,
                        patiently(deadline, () -> writer.partitionsFor(topic).size()));
            }
        }
        return partitions;
    }

    /** Not more at once than the writer's memory holds: it would block, and then fail the transaction. */
    private void send(List<ProducerRecord<byte[], byte[]>> slice) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        slice.forEach(record -> sent.add(writer.send(record)));
        writer.flush();
        for (Future<RecordMetadata> record : sent) {
            try {
                var unused = record.get();
            } catch (InterruptedException e) {
                throw new InterruptException(e);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof RuntimeException failure ? failure : new KafkaException(e.getCause());
            }
        }
    }

    private <T> T patiently(long deadline, Supplier<T> call) {
        while (true) {
            try {
                return call.get();
            } catch (TimeoutException e) {
                if (clock.nanoTime() - deadline > 0) {
                    throw e;
                }
            }
        }
    }
}
