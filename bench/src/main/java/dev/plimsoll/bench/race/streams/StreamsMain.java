package dev.plimsoll.bench.race.streams;

import dev.plimsoll.wire.Topic;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * A contestant's process. Arguments: bootstrap servers, which contestant, name of the run, threads, a directory, topic of windows, topic
 * of summaries.
 */
public final class StreamsMain {
    private static final String SOURCE = "samples";
    private static final String PROCESSOR = "fold";
    private static final String STORE = "windows-on-heap";
    private static final int LARGEST_REQUEST = 16 << 20;

    private StreamsMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        boolean keyValue = arguments[1].equals("streams-key-value");
        boolean logged = !arguments[1].equals("streams-in-memory");
        Topology topology = new Topology();
        topology.addSource(
                SOURCE, Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), Topic.SAMPLES.name());
        ProcessorSupplier<byte[], byte[], byte[], byte[]> supplier =
                keyValue ? KeyValueProcessor::new : () -> new HeapProcessor(STORE);
        topology.addProcessor(PROCESSOR, supplier, SOURCE);
        if (keyValue) {
            topology.addStateStore(
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(KeyValueProcessor.SUMS),
                                    Serdes.String(),
                                    NodeSums.serde())
                            .withCachingEnabled()
                            .withLoggingEnabled(changelog()),
                    PROCESSOR);
            topology.addStateStore(
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(KeyValueProcessor.STEPS),
                                    Serdes.String(),
                                    Serdes.Long())
                            .withCachingEnabled()
                            .withLoggingEnabled(changelog()),
                    PROCESSOR);
            topology.addStateStore(
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(KeyValueProcessor.MEMBERS),
                                    Serdes.String(),
                                    Serdes.ByteArray())
                            .withLoggingEnabled(changelog()),
                    PROCESSOR);
        } else {
            topology.addStateStore(new HeapWindowsBuilder(STORE, logged), PROCESSOR);
        }
        sink(topology, WindowPublisher.WINDOWS, arguments[5]);
        sink(topology, WindowPublisher.SUMMARIES, arguments[6]);
        run(topology, properties(arguments));
    }

    private static void sink(Topology topology, String name, String topic) {
        topology.addSink(
                name, topic, Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), PROCESSOR);
    }

    private static Map<String, String> changelog() {
        return Map.of("max.message.bytes", Integer.toString(LARGEST_REQUEST));
    }

    private static Properties properties(String[] arguments) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "race-" + arguments[1] + "-" + arguments[2]);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[3]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put("enable.metrics.push", false);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 << 20);
        // As our own consumer has them, so that both are given up for dead after the same time.
        settings.put(StreamsConfig.mainConsumerPrefix("session.timeout.ms"), 6000);
        settings.put(StreamsConfig.mainConsumerPrefix("heartbeat.interval.ms"), 1500);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.consumerPrefix("max.partition.fetch.bytes"), 4 << 20);
        settings.put(StreamsConfig.consumerPrefix("fetch.max.bytes"), 16 << 20);
        settings.put(StreamsConfig.consumerPrefix("max.poll.records"), 500);
        settings.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
        settings.put(StreamsConfig.producerPrefix("batch.size"), 1 << 20);
        settings.put(StreamsConfig.producerPrefix("max.request.size"), LARGEST_REQUEST);
        settings.put(StreamsConfig.producerPrefix("buffer.memory"), 64 << 20);
        settings.put(StreamsConfig.producerPrefix("retry.backoff.ms"), 5);
        Properties properties = new Properties();
        properties.putAll(settings);
        return properties;
    }

    private static void run(Topology topology, Properties properties) throws InterruptedException {
        CountDownLatch ended = new CountDownLatch(1);
        KafkaStreams streams = new KafkaStreams(topology, properties);
        streams.setUncaughtExceptionHandler(e -> {
            e.printStackTrace();
            ended.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(java.time.Duration.ofSeconds(5))));
        streams.start();
        ended.await();
        System.exit(1);
    }

    /** Hands {@link HeapWindows} to Kafka Streams. */
    private static final class HeapWindowsBuilder implements StoreBuilder<StateStore> {
        private final String name;
        private final boolean logged;

        HeapWindowsBuilder(String name, boolean logged) {
            this.name = name;
            this.logged = logged;
        }

        @Override
        public StateStore build() {
            return new HeapWindows(name, logged);
        }

        @Override
        public Map<String, String> logConfig() {
            return changelog();
        }

        @Override
        public boolean loggingEnabled() {
            return logged;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public StoreBuilder<StateStore> withCachingEnabled() {
            return this;
        }

        @Override
        public StoreBuilder<StateStore> withCachingDisabled() {
            return this;
        }

        @Override
        public StoreBuilder<StateStore> withLoggingEnabled(Map<String, String> config) {
            return this;
        }

        @Override
        public StoreBuilder<StateStore> withLoggingDisabled() {
            return this;
        }
    }
}
