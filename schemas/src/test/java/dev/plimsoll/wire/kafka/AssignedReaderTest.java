package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

/** Records that have been polled reach whoever reads them, whatever goes wrong with another partition. */
final class AssignedReaderTest {
    private static final TopicPartition A = new TopicPartition("state", 0);
    private static final TopicPartition B = new TopicPartition("state", 1);
    private static final TopicPartition COMPANION = new TopicPartition("acks", 2);

    /** Knows records, and not the position of every partition. */
    private static final class Unsure extends MockConsumer<byte[], ByteBuffer> {
        private final Map<TopicPartition, RuntimeException> unknown = new HashMap<>();

        Unsure() {
            super("none");
        }

        @Override
        public synchronized long position(TopicPartition partition) {
            RuntimeException failure = unknown.get(partition);
            if (failure != null) {
                throw failure;
            }
            return super.position(partition);
        }

        void write(TopicPartition partition, long offset) {
            addRecord(new ConsumerRecord<>(
                    partition.topic(), partition.partition(), offset, new byte[0], ByteBuffer.allocate(1)));
        }
    }

    private final Unsure consumer = new Unsure();
    private final AssignedReader reader = new AssignedReader(consumer);

    @Test
    void recordsAreKeptWhileThePositionOfAnotherPartitionIsUnknown() {
        // given
        AssignedReader.Stretch a = reader.read(A, 0, 1);
        AssignedReader.Stretch b = reader.read(B, 0, 1);
        reader.addCompanion(COMPANION, 7);
        consumer.write(A, 0);
        consumer.write(B, 0);
        consumer.write(COMPANION, 7);
        consumer.unknown.put(A, new TimeoutException("position not known in time"));
        consumer.unknown.put(B, new TimeoutException("position not known in time"));

        // when
        ConsumerRecords<byte[], ByteBuffer> polled = reader.poll(Duration.ZERO);

        // then
        assertThat(polled.records(COMPANION)).hasSize(1);
        assertThat(Objects.requireNonNull(a.next()).offset()).isZero();
        assertThat(Objects.requireNonNull(b.next()).offset()).isZero();
        assertThat(b.through()).as("nobody knows yet").isFalse();

        // when
        consumer.unknown.clear();
        reader.poll(Duration.ZERO);

        // then
        assertThat(a.through()).isTrue();
        assertThat(b.through()).isTrue();
    }

    @Test
    void aLostPositionConcernsItsOwnStretchOnly() {
        // given
        AssignedReader.Stretch a = reader.read(A, 0, 2);
        AssignedReader.Stretch b = reader.read(B, 0, 1);
        consumer.write(B, 0);
        consumer.unknown.put(A, new NoOffsetForPartitionException(A));

        // when
        reader.poll(Duration.ZERO);

        // then
        assertThat(Objects.requireNonNull(b.next()).offset()).isZero();
        assertThat(b.through()).isTrue();
        assertThatThrownBy(a::through).isInstanceOf(NoOffsetForPartitionException.class);
    }
}
