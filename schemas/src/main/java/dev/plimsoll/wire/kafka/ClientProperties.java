package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.ByteBufferDeserializer;

/**
 * The properties of our clients, in three layers: our tuning, over it the user's properties, over them what our guarantees rest
 * on. What stands in the third layer is refused by name where a user gives another value, so nothing is overwritten in silence.
 */
final class ClientProperties {
    /** How long a call of a loop's thread may block; two of them fit into the 10 s after which a loop is not alive. */
    static final Duration CALL_TIMEOUT = Duration.ofSeconds(4);

    /** As short as Kafka Streams has it: so long does a dead writer hold up readers of committed records. */
    static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(10);

    private static final int FLUSHED_LINGER_MILLIS = 100;

    /** @param values what a user may say, for it is what we set anyway */
    private record Ours(Set<String> values, String why) {}

    private static final String EXACTLY_ONCE = "exactly-once reading and writing rests on ours: leave it out";
    private static final String NAMES = "each of our clients has one of its own: leave it out";
    private static final String BOUNDED =
            "calls must end within the seconds in which a role has to answer or stop, so it is set for each client: leave it out";
    private static final String BYTES = "our records are bytes with an id of their schema: leave it out";

    private static final Map<String, Ours> OURS = Map.ofEntries(
            Map.entry("bootstrap.servers", new Ours(Set.of(), "name the cluster with --bootstrap-servers")),
            Map.entry("enable.auto.commit", new Ours(Set.of("false"), EXACTLY_ONCE)),
            Map.entry("isolation.level", new Ours(Set.of("read_committed"), EXACTLY_ONCE)),
            Map.entry("auto.offset.reset", new Ours(Set.of(), EXACTLY_ONCE)),
            Map.entry("enable.idempotence", new Ours(Set.of("true"), EXACTLY_ONCE)),
            Map.entry("acks", new Ours(Set.of("all", "-1"), EXACTLY_ONCE)),
            Map.entry(
                    "partitioner.class",
                    new Ours(Set.of(), "a deployment has one partition in all topics: leave it out")),
            Map.entry(
                    "allow.auto.create.topics",
                    new Ours(Set.of("false"), "topics are made with 'plimsoll topics create': leave it out")),
            Map.entry("group.id", new Ours(Set.of(), NAMES)),
            Map.entry("transactional.id", new Ours(Set.of(), NAMES)),
            Map.entry("client.id", new Ours(Set.of(), NAMES)),
            Map.entry("request.timeout.ms", new Ours(Set.of(), BOUNDED)),
            Map.entry("default.api.timeout.ms", new Ours(Set.of(), BOUNDED)),
            Map.entry("max.block.ms", new Ours(Set.of(), BOUNDED)),
            Map.entry("delivery.timeout.ms", new Ours(Set.of(), BOUNDED)),
            Map.entry("linger.ms", new Ours(Set.of(), BOUNDED)),
            Map.entry("key.serializer", new Ours(Set.of(), BYTES)),
            Map.entry("value.serializer", new Ours(Set.of(), BYTES)),
            Map.entry("key.deserializer", new Ours(Set.of(), BYTES)),
            Map.entry("value.deserializer", new Ours(Set.of(), BYTES)));

    /** What the classic protocol's members decide and the newer one leaves to the broker; its clients refuse them. */
    private static final List<String> CLASSIC_ONLY = List.of(
            ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG,
            ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG,
            ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG);

    private static final AtomicInteger CLIENTS = new AtomicInteger();

    private ClientProperties() {}

    static void refuseContradictions(Map<String, String> properties) {
        new TreeMap<>(properties).forEach((key, value) -> {
            Ours ours = OURS.get(key);
            if (ours != null && !ours.values().contains(value)) {
                throw new IllegalArgumentException("client property " + key + "=" + value + ": " + ours.why());
            }
            if (newProtocol(properties) && CLASSIC_ONLY.contains(key)) {
                throw new IllegalArgumentException("client property " + key + "=" + value
                        + " is of no use with group.protocol=consumer, where the broker decides it (such as by"
                        + " group.consumer.session.timeout.ms): leave it out");
            }
        });
    }

    /** A member of a group; positions are set by us, offsets are committed by transactions only. */
    static Map<String, Object> member(KafkaSettings settings, String group, String clientId) {
        // Folded at once, so that it is bytes that bound a poll.
        Map<String, Object> properties = consumer(settings, clientId, 2000);
        if (newProtocol(settings.properties())) {
            // The broker assigns and watches, and the client refuses settings for it.
            CLASSIC_ONLY.forEach(properties::remove);
        }
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        return properties;
    }

    private static boolean newProtocol(Map<String, String> properties) {
        return "consumer".equalsIgnoreCase(properties.get("group.protocol"));
    }

    /** A reader of assigned partitions without a group. */
    static Map<String, Object> reader(KafkaSettings settings, String clientId, String offsetReset) {
        Map<String, Object> properties = consumer(settings, clientId, 500);
        properties.keySet().removeIf(key -> key.startsWith("group."));
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, offsetReset);
        return properties;
    }

    private static Map<String, Object> consumer(KafkaSettings settings, String clientId, int mostPolled) {
        Map<String, Object> properties = new HashMap<>();
        // The shortest that brokers allow by default: a member killed and started again waits so long for its
        // partitions, unless it has a group.instance.id. Under group.protocol=consumer the broker decides, 45 s by
        // default.
        properties.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 6000);
        properties.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 1500);
        properties.put(
                ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
                "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        // A poll gives what a fetch brought: with the default of 1 MiB, a hundred samples of 64 ranks.
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, mostPolled);
        properties.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 4 << 20);
        properties.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 16 << 20);
        // The system's own, which grow with the traffic: Kafka's default stops at 64 KiB.
        properties.put(ConsumerConfig.RECEIVE_BUFFER_CONFIG, -1);
        // A partition that is resumed or newly read waits for the fetch under way; with the default of 500 ms
        // recoveries crawl.
        properties.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 100);
        properties.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) CALL_TIMEOUT.toMillis());
        properties.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) CALL_TIMEOUT.toMillis());
        addUsers(properties, settings, ConsumerConfig.configNames());
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteBufferDeserializer.class);
        return identify(properties, settings, clientId);
    }

    /** A producer of one partition's transactions, whose calls block for {@code callTimeout} at most. */
    static Map<String, Object> transactional(KafkaSettings settings, String transactionalId, Duration callTimeout) {
        int call = (int) callTimeout.toMillis();
        Map<String, Object> properties = new HashMap<>();
        TopicWriter.Compression.NONE.into(properties);
        properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 16L << 20);
        properties.put(ProducerConfig.BATCH_SIZE_CONFIG, 256 << 10);
        // The next transaction waits for the markers of the last one by trying again: 18.9 ms with the default, 6.3
        // with 5.
        properties.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 5);
        addUsers(properties, settings, ProducerConfig.configNames());
        properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, call);
        properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, call);
        properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 2 * call);
        // Every transaction is flushed, and until then nothing is gained by sending batches that are not full.
        properties.put(ProducerConfig.LINGER_MS_CONFIG, FLUSHED_LINGER_MILLIS);
        properties.putIfAbsent(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) TRANSACTION_TIMEOUT.toMillis());
        properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        return producer(properties, settings, transactionalId);
    }

    /** A producer without transactions. */
    static Map<String, Object> idempotent(
            KafkaSettings settings, String clientId, Duration deliveryTimeout, TopicWriter.Compression compression) {
        int delivery = (int) deliveryTimeout.toMillis();
        int linger = 5;
        Map<String, Object> properties = new HashMap<>();
        compression.into(properties);
        properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 16L << 20);
        properties.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000L);
        addUsers(properties, settings, ProducerConfig.configNames());
        properties.put(ProducerConfig.LINGER_MS_CONFIG, linger);
        properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, delivery);
        properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.min(delivery - linger, 5000));
        properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, Math.min(delivery, 500));
        return producer(properties, settings, clientId);
    }

    private static Map<String, Object> producer(
            Map<String, Object> properties, KafkaSettings settings, String clientId) {
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        return identify(properties, settings, clientId);
    }

    static Map<String, Object> admin(KafkaSettings settings, Duration timeout) {
        Map<String, Object> properties = new HashMap<>();
        addUsers(properties, settings, AdminClientConfig.configNames());
        properties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
        properties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
        return identify(properties, settings, "plimsoll-admin");
    }

    /** Client ids are unique in a process: equal ones collide in JMX. */
    private static Map<String, Object> identify(
            Map<String, Object> properties, KafkaSettings settings, String clientId) {
        properties.put("bootstrap.servers", settings.bootstrapServers());
        properties.put("client.id", clientId + "-" + CLIENTS.incrementAndGet());
        properties.putIfAbsent("enable.metrics.push", false);
        return properties;
    }

    /** What this kind of client knows, and what none knows: plug-ins have properties of their own. */
    private static void addUsers(Map<String, Object> properties, KafkaSettings settings, Set<String> known) {
        settings.properties().forEach((key, value) -> {
            boolean others = ConsumerConfig.configNames().contains(key)
                    || ProducerConfig.configNames().contains(key)
                    || AdminClientConfig.configNames().contains(key);
            if (known.contains(key) || !others) {
                properties.put(key, value);
            }
        });
    }
}
