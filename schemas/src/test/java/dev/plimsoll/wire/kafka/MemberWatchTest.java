package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a loop tells of its input and of its cluster, against a real broker. */
final class MemberWatchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    /** Takes 3 ms for every record for which there is no permit. */
    private static final class SlowTask implements PartitionTask<SampleRecord> {
        private final Semaphore permits;
        private long next;

        SlowTask(Semaphore permits) {
            this.permits = permits;
        }

        @Override
        public Optional<RecoveryRead<?>> nextRead(InputLog input) {
            return Optional.empty();
        }

        @Override
        public long recovered(InputLog input) {
            return input.first();
        }

        @Override
        public void onRecord(Received<SampleRecord> record) {
            try {
                boolean unused = permits.tryAcquire(3, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            next = record.offset() + 1;
        }

        @Override
        public void onUnreadable(Quarantined record, long timestampMillis) {
            next = record.offset() + 1;
        }

        @Override
        public Optional<Transaction> takeTransaction() {
            return Optional.empty();
        }
    }

    private record Position(long records, OptionalDouble seconds) {}

    @Test
    void aLoopTellsHowFarItIsBehindTheStableEndAndWhenItHasGivenAPartitionAway() throws Exception {
        Map<Integer, Position> positions = new ConcurrentHashMap<>();
        try (TestBroker broker = new TestBroker(directory)) {
            ClientListener listener = new ClientListener() {
                @Override
                public void onBehind(String topic, int partition, long records, OptionalDouble seconds) {
                    assertThat(topic).isEqualTo(Topic.SAMPLES.name());
                    positions.put(partition, new Position(records, seconds));
                }

                @Override
                public void onReleased(String topic, int partition) {
                    positions.remove(partition);
                }
            };
            // How far it is behind is told between polls: few records in each, so that none takes long.
            KafkaSettings settings =
                    new KafkaSettings(broker.client().bootstrapServers(), Map.of("max.poll.records", "100"), listener);
            create(settings);
            Deployment deployment = new Deployment("d");
            Semaphore permits = new Semaphore(0);
            try (PartitionLoop<SampleRecord> loop = loop(settings, permits)) {
                loop.start();
                await().atMost(PATIENCE).until(() -> new Position(0, OptionalDouble.of(0)).equals(positions.get(0)));

                // given more than several polls bring
                write(broker.client(), deployment, 5_000);
                await().atMost(PATIENCE).untilAsserted(() -> {
                    Position behind = positions.get(0);
                    assertThat(behind).isNotNull();
                    assertThat(behind.records()).isPositive();
                    assertThat(behind.seconds()).isPresent();
                });

                permits.release(1_000_000);
                await().atMost(PATIENCE).until(() -> new Position(0, OptionalDouble.of(0)).equals(positions.get(0)));
            }
            assertThat(positions).isEmpty();
        }
    }

    /** Loops of both protocols in one outage: what takes long is that silence is noticed after five seconds only. */
    @Test
    void aLoopThatHasNothingToReadKnowsWhenTheBrokerIsAwayAndWhenItIsBack() throws Exception {
        List<String> ofClassic = new CopyOnWriteArrayList<>();
        List<String> ofConsumer = new CopyOnWriteArrayList<>();
        KafkaContact classic = new KafkaContact("classic: Kafka", ofClassic::add);
        KafkaContact consumer = new KafkaContact("consumer: Kafka", ofConsumer::add);
        List<KafkaContact> contacts = List.of(classic, consumer);
        try (TestBroker broker = new TestBroker(directory)) {
            create(broker.client());
            try (PartitionLoop<SampleRecord> first = watched(broker, "classic", classic);
                    PartitionLoop<SampleRecord> second = watched(broker, "consumer", consumer)) {
                List<PartitionLoop<SampleRecord>> loops = List.of(first, second);
                loops.forEach(PartitionLoop::start);
                await().atMost(PATIENCE).until(() -> loops.stream().allMatch(PartitionLoop::joined));
                broker.stop();
                await().atMost(PATIENCE)
                        .until(() -> contacts.stream()
                                .allMatch(contact -> contact.awaySince().isPresent()));
                broker.start();
                await().atMost(PATIENCE)
                        .until(() -> contacts.stream()
                                .allMatch(contact -> contact.awaySince().isEmpty()));
                await().atMost(PATIENCE).until(() -> loops.stream().allMatch(PartitionLoop::joined));
            }
        }
        assertThat(ofClassic).hasSize(2);
        assertThat(ofConsumer).hasSize(2);
    }

    private static PartitionLoop<SampleRecord> watched(TestBroker broker, String protocol, KafkaContact contact) {
        KafkaSettings settings =
                new KafkaSettings(broker.client().bootstrapServers(), Map.of("group.protocol", protocol), contact);
        return new PartitionLoop<>(
                settings,
                "watched-" + protocol,
                Topic.SAMPLES,
                partition -> new SlowTask(new Semaphore(0)),
                PartitionLoop.Listener.NONE);
    }

    private static void create(KafkaSettings settings) {
        try (TopicAdmin admin = new TopicAdmin(settings, Duration.ofSeconds(10))) {
            admin.create(1, 1);
        }
    }

    private static PartitionLoop<SampleRecord> loop(KafkaSettings settings, Semaphore permits) {
        return new PartitionLoop<>(
                settings, "watched", Topic.SAMPLES, partition -> new SlowTask(permits), PartitionLoop.Listener.NONE);
    }

    private static void write(KafkaSettings settings, Deployment deployment, int count) {
        try (TopicWriter writer = new TopicWriter(settings, "w", count, Duration.ofSeconds(10))) {
            reactor.core.publisher.Flux.range(1, count)
                    .flatMap(
                            n -> writer.write(
                                    Output.of(Topic.SAMPLES, deployment, (SampleRecord) new End(deployment, n))),
                            count)
                    .blockLast(PATIENCE);
        }
    }
}
