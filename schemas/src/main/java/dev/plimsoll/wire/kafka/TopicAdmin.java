package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * Makes and checks the topics of the catalogue. Calls block, bounded by the timeout; what the cluster refuses is a
 * {@link KafkaException}.
 */
public final class TopicAdmin implements AutoCloseable {

    /**
     * A topic as it is on the cluster.
     *
     * @param partitions 0 when it is not there
     * @param records records over all partitions, from first to last offset
     * @param differences how its settings differ from the catalogue, in words; empty when they do not
     */
    public record Status(Topic<?> topic, int partitions, int replicas, long records, List<String> differences) {}

    private static final String TRANSACTION_VERSION = "transaction.version";

    private final KafkaSettings settings;
    private final Duration timeout;
    private final Admin admin;

    public TopicAdmin(KafkaSettings settings, Duration timeout) {
        this.settings = settings;
        this.timeout = timeout;
        this.admin = Admin.create(ClientProperties.admin(settings, timeout));
    }

    /** Makes the topics that are missing; never changes one that is there. Returns the names of those made. */
    public List<String> create(int partitions, int replicas) {
        Set<String> there = get(admin.listTopics().names());
        List<String> made = new ArrayList<>();
        for (Topic<?> topic : Topic.all()) {
            if (there.contains(topic.name())) {
                continue;
            }
            Map<String, String> config = new HashMap<>(topic.settings());
            if (replicas > 2) {
                config.put("min.insync.replicas", "2");
            }
            try {
                get(admin.createTopics(
                                List.of(new NewTopic(topic.name(), partitions, (short) replicas).configs(config)))
                        .all());
                made.add(topic.name());
            } catch (TopicExistsException e) {
                // Somebody else makes them too; theirs is as good.
            }
        }
        return made;
    }

    public List<Status> status() {
        Set<String> there = get(admin.listTopics().names());
        List<String> ours = Topic.all().stream()
                .map(topic -> topic.name())
                .filter(there::contains)
                .toList();
        Map<String, TopicDescription> descriptions =
                get(admin.describeTopics(ours).allTopicNames());
        Map<ConfigResource, Config> configs = get(
                admin.describeConfigs(ours.stream().map(TopicAdmin::resource).toList())
                        .all());
        List<Status> status = new ArrayList<>();
        for (Topic<?> topic : Topic.all()) {
            TopicDescription description = descriptions.get(topic.name());
            Config config = configs.get(resource(topic.name()));
            status.add(
                    description == null || config == null
                            ? new Status(topic, 0, 0, 0, List.of("missing"))
                            : new Status(
                                    topic,
                                    description.partitions().size(),
                                    description.partitions().get(0).replicas().size(),
                                    records(description),
                                    differences(topic, config)));
        }
        return status;
    }

    private static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    private static List<String> differences(Topic<?> topic, Config config) {
        List<String> differences = new ArrayList<>();
        new TreeMap<>(topic.settings()).forEach((key, expected) -> {
            ConfigEntry entry = config.get(key);
            String actual = entry == null ? "not known to the cluster" : String.valueOf(entry.value());
            if (!actual.equals(expected)) {
                differences.add(key + " is " + actual + ", should be " + expected);
            }
        });
        return differences;
    }

    private long records(TopicDescription description) {
        long records = 0;
        for (ListOffsetsResultInfo end : offsets(description, OffsetSpec.latest())) {
            records += end.offset();
        }
        for (ListOffsetsResultInfo begin : offsets(description, OffsetSpec.earliest())) {
            records -= begin.offset();
        }
        return records;
    }

    private Iterable<ListOffsetsResultInfo> offsets(TopicDescription description, OffsetSpec spec) {
        Map<TopicPartition, OffsetSpec> query = new HashMap<>();
        description
                .partitions()
                .forEach(partition -> query.put(new TopicPartition(description.name(), partition.partition()), spec));
        return get(admin.listOffsets(query).all()).values();
    }

    /** What about the cluster is not as we need it (transaction version below 2, a broker that cannot be reached …), in words. */
    public List<String> warnings() {
        try {
            Map<String, FinalizedVersionRange> features =
                    get(admin.describeFeatures().featureMetadata()).finalizedFeatures();
            FinalizedVersionRange transactions = features.get(TRANSACTION_VERSION);
            int version = transactions == null ? 0 : transactions.maxVersionLevel();
            return version >= 2
                    ? List.of()
                    : List.of("the cluster has " + TRANSACTION_VERSION + "=" + version
                            + ": below 2 a delayed commit can hit a later transaction, so that windows may be lost;"
                            + " upgrade with: kafka-features.sh upgrade --feature " + TRANSACTION_VERSION + "=2");
        } catch (KafkaException e) {
            return List.of(
                    "cannot ask the cluster at " + settings.bootstrapServers() + ": " + KafkaFailure.describe(e));
        }
    }

    private <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException failure ? failure : new KafkaException(e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException(
                    "no answer from " + settings.bootstrapServers() + " within " + timeout.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}
