package dev.plimsoll.app.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EmbeddedBrokerTest {

    private static final TopicPartition TOPIC = new TopicPartition("plimsoll.test", 0);

    @TempDir
    Path directory;

    @Test
    void commitsTransactionsAndHidesAbortedOnes() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            createTopic(broker);
            try (KafkaProducer<String, String> producer = producer(broker, true)) {
                producer.initTransactions();

                send(producer, "aborted", 50);
                producer.abortTransaction();
                send(producer, "committed", 100);
                producer.commitTransaction();
            }

            assertThat(read(broker, 100)).containsExactlyElementsOf(values("committed", 100));
        }
    }

    @Test
    void usesTransactionVersionTwo() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0);
                Admin admin = Admin.create(client(broker))) {
            var features = admin.describeFeatures().featureMetadata().get().finalizedFeatures();

            assertThat(features)
                    .extractingByKey("transaction.version")
                    .returns((short) 2, FinalizedVersionRange::maxVersionLevel);
        }
    }

    @Test
    void keepsRecordsAndGroupOffsetsWhenStartedAgainOnTheSameDirectoryAndPort() throws Exception {
        EmbeddedBroker first = EmbeddedBroker.start(directory, 0);
        createTopic(first);
        try (KafkaProducer<String, String> producer = producer(first, true)) {
            producer.initTransactions();
            send(producer, "before", 10);
            producer.commitTransaction();
        }
        try (Admin admin = Admin.create(client(first))) {
            admin.alterConsumerGroupOffsets("readers", Map.of(TOPIC, new OffsetAndMetadata(7)))
                    .all()
                    .get();
        }
        first.close();

        try (EmbeddedBroker second = EmbeddedBroker.start(directory, first.port());
                Admin admin = Admin.create(client(second))) {
            assertThat(second.bootstrapServers()).isEqualTo(first.bootstrapServers());
            assertThat(read(second, 10)).containsExactlyElementsOf(values("before", 10));
            assertThat(admin.listConsumerGroupOffsets("readers")
                            .partitionsToOffsetAndMetadata()
                            .get())
                    .extractingByKey(TOPIC)
                    .returns(7L, OffsetAndMetadata::offset);
        }
    }

    @Test
    void clientsThatOutliveAnOutageGoOnByThemselves() throws Exception {
        EmbeddedBroker first = EmbeddedBroker.start(directory, 0);
        createTopic(first);
        try (KafkaProducer<String, String> producer = producer(first, false)) {
            acknowledged(producer, "before");
            first.close();
            // Once it has found no broker for a while, a client forgets what it knew of topics, and then send() itself
            // waits.
            var duringTheOutage = CompletableFuture.runAsync(() -> acknowledged(producer, "during"));

            try (EmbeddedBroker second = EmbeddedBroker.start(directory, first.port())) {
                duringTheOutage.get();
                acknowledged(producer, "after");

                assertThat(read(second, 3)).containsExactly("before", "during", "after");
            }
        }
    }

    @Test
    void namesThePortThatIsTaken() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> EmbeddedBroker.start(directory, taken.getLocalPort()))
                    .isInstanceOf(BrokerException.class)
                    .hasMessageContaining("Port " + taken.getLocalPort())
                    .hasMessageContaining("choose another port");
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void namesTheDirectoryThatAnotherBrokerUses() {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            assertThatThrownBy(() -> EmbeddedBroker.start(directory, 0))
                    .isInstanceOf(BrokerException.class)
                    .hasMessageContaining("Another broker is using the data directory " + directory);
            assertThat(broker.port()).isPositive();
        }
    }

    @Test
    void namesTheDirectoryThatCannotBeMade() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        assertThatThrownBy(() -> EmbeddedBroker.start(file.resolve("data"), 0))
                .isInstanceOf(BrokerException.class)
                .hasMessageContaining("Cannot make the data directory " + file.resolve("data"));
    }

    @Test
    void aFailedStartLeavesNoThreadAndNoLockBehind() throws Exception {
        EmbeddedBroker.start(directory, 0).close();
        Set<Thread> before = lastingThreads();

        // Kafka's own lock, which it asks for when most of it is already running.
        try (FileChannel log = FileChannel.open(
                        directory.resolve("log/.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = log.lock()) {
            assertThat(held.isValid()).isTrue();
            assertThatThrownBy(() -> EmbeddedBroker.start(directory, 0))
                    .isInstanceOf(BrokerException.class)
                    .hasMessageContaining("did not start")
                    .hasMessageContaining("lock");
        }

        Awaitility.await()
                .pollInSameThread()
                .untilAsserted(() -> assertThat(lastingThreads()).isSubsetOf(before));
        EmbeddedBroker.start(directory, 0).close();
    }

    @Test
    void twoBrokersOfOneJvmKnowNothingOfEachOther() throws Exception {
        try (EmbeddedBroker one = EmbeddedBroker.start(directory.resolve("one"), 0);
                EmbeddedBroker two = EmbeddedBroker.start(directory.resolve("two"), 0);
                Admin admin = Admin.create(client(two))) {
            createTopic(one);

            assertThat(one.port()).isNotEqualTo(two.port());
            assertThat(admin.listTopics().names().get()).isEmpty();
        }
    }

    @Test
    void closesWithinItsBoundAndAgainWithoutHarm() {
        EmbeddedBroker broker = EmbeddedBroker.start(directory, 0);

        long start = System.nanoTime();
        broker.close();
        broker.close();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(EmbeddedBroker.CLOSE_TIMEOUT);
        assertThat(Ports.isFree(broker.port())).isTrue();
    }

    @Test
    void aFatalFaultOfKafkaDoesNotEndTheProcess() {
        EmbeddedBroker.start(directory, 0).close();

        assertThatThrownBy(() -> Exit.halt(1, "a fault"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("status 1");
    }

    /** The threads that would keep this JVM from ending. */
    private static Set<Thread> lastingThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !thread.isDaemon())
                .collect(Collectors.toSet());
    }

    private static void createTopic(EmbeddedBroker broker) throws Exception {
        try (Admin admin = Admin.create(client(broker))) {
            admin.createTopics(List.of(new NewTopic(TOPIC.topic(), 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    private static KafkaProducer<String, String> producer(EmbeddedBroker broker, boolean transactional) {
        Map<String, Object> settings = client(broker);
        if (transactional) {
            settings.put("transactional.id", "test");
        }
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    private static void send(KafkaProducer<String, String> producer, String prefix, int count) throws Exception {
        producer.beginTransaction();
        var sent = values(prefix, count).stream()
                .map(value -> producer.send(record(value)))
                .toList();
        producer.flush();
        for (var record : sent) {
            record.get();
        }
    }

    /** Returns when the broker has the record. */
    private static void acknowledged(KafkaProducer<String, String> producer, String value) {
        try {
            producer.send(record(value)).get();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static ProducerRecord<String, String> record(String value) {
        return new ProducerRecord<>(TOPIC.topic(), "key", value);
    }

    private static List<String> values(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
    }

    private static List<String> read(EmbeddedBroker broker, int count) {
        Map<String, Object> settings = client(broker);
        settings.put("isolation.level", "read_committed");
        settings.put("auto.offset.reset", "earliest");
        List<String> values = new ArrayList<>();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(TOPIC));
            long end = consumer.endOffsets(List.of(TOPIC)).values().iterator().next();
            while (values.size() < count || consumer.position(TOPIC) < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    values.add(record.value());
                }
            }
        }
        return values;
    }

    private static Map<String, Object> client(EmbeddedBroker broker) {
        return new HashMap<>(Map.of("bootstrap.servers", broker.bootstrapServers()));
    }
}
