package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A state of which a record cannot be read: of every key the newest one counts, and no older one in its place. */
final class DamagedStateTest {
    @TempDir
    static Path directory;

    private static TestBroker broker;

    private final List<Long> recoveredFrom = new CopyOnWriteArrayList<>();
    private final List<Throwable> leftAlone = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        broker = new TestBroker(directory);
        try (TopicAdmin admin = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
            admin.create(1, 1);
            Chain.await(() -> admin.missing().isEmpty());
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void aDamagedRecordLeavesThePartitionAloneUntilANewerOneOfItsKeyIsWritten() throws Exception {
        AggregatorState good = new AggregatorState.OfPartition(0, 3, 4, "", 1);
        AggregatorState other = new AggregatorState.Whole(0, -1, List.of());
        write(Topic.AGGREGATOR_STATE.key(good), Topic.AGGREGATOR_STATE.encode(good));
        write(Topic.AGGREGATOR_STATE.key(good), "damaged".getBytes(StandardCharsets.UTF_8));

        // a record of another key changes nothing
        write(Topic.AGGREGATOR_STATE.key(other), Topic.AGGREGATOR_STATE.encode(other));
        try (PartitionLoop<SampleRecord> loop = loop()) {
            loop.start();
            Chain.await(() -> !leftAlone.isEmpty());
        }
        assertThat(recoveredFrom).isEmpty();
        assertThat(leftAlone.get(0))
                .isInstanceOf(UnreadableStateException.class)
                .hasMessageContaining("-0@1 cannot");

        // what an operator does: writes the last good one anew
        write(Topic.AGGREGATOR_STATE.key(good), Topic.AGGREGATOR_STATE.encode(good));
        try (PartitionLoop<SampleRecord> loop = loop()) {
            loop.start();
            Chain.await(() -> !recoveredFrom.isEmpty());
        }
        assertThat(recoveredFrom).containsExactly(4L);
    }

    private static void write(String key, byte[] value) throws Exception {
        try (KafkaProducer<byte[], byte[]> raw = new KafkaProducer<>(ClientProperties.idempotent(
                broker.client(), "raw", Duration.ofSeconds(10), TopicWriter.Compression.FOR_EVERYBODY))) {
            raw.send(new ProducerRecord<>(
                            Topic.AGGREGATOR_STATE.name(), 0, key.getBytes(StandardCharsets.UTF_8), value))
                    .get();
        }
    }

    private PartitionLoop<SampleRecord> loop() {
        return new PartitionLoop<>(
                broker.client(),
                "damaged",
                Topic.SAMPLES,
                partition -> new StateReader(),
                new PartitionLoop.Listener() {
                    @Override
                    public void onQuarantined(int partition, Throwable cause) {
                        leftAlone.add(cause);
                    }
                });
    }

    /** Reads its state and does nothing with it. */
    private final class StateReader implements PartitionTask<SampleRecord> {
        private long next;
        private boolean asked;

        @Override
        public Optional<RecoveryRead<?>> nextRead(InputLog input) {
            if (asked) {
                return Optional.empty();
            }
            asked = true;
            return Optional.of(RecoveryRead.state(Topic.AGGREGATOR_STATE, record -> {
                if (record.value() instanceof AggregatorState.OfPartition state) {
                    next = state.nextInputOffset();
                }
            }));
        }

        @Override
        public long recovered(InputLog input) {
            recoveredFrom.add(next);
            return input.first();
        }

        @Override
        public void onRecord(Received<SampleRecord> record) {}

        @Override
        public void onUnreadable(Quarantined record, long timestampMillis) {}

        @Override
        public Optional<Transaction> takeTransaction() {
            return Optional.empty();
        }
    }
}
