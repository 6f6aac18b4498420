package dev.plimsoll.wire.kafka;

import static java.util.Objects.requireNonNull;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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
    private final Pulse pulse;

    public TopicAdmin(KafkaSettings settings, Duration timeout) {
        this.settings = settings;
        this.timeout = timeout;
        this.pulse = new Pulse("admin", settings.listener());
        this.admin = Clients.admin(settings, ClientProperties.admin(settings, timeout));
    }

    /**
     * Makes the topics that are missing; never changes one that is there. A deployment has the same partition number in all
     * topics, so where some are there, the missing ones get their number of partitions.
     *
     * @param partitions of each topic where none is there yet
     * @return the names of those made
     * @throws IllegalStateException when those that are there have unequal numbers
     */
    public List<String> create(int partitions, int replicas) {
        return create(partitions, OptionalInt.of(replicas));
    }

    /**
     * The same.
     *
     * @param replicas empty for the cluster's own default, together with its own number of replicas that must be in sync
     */
    public List<String> create(int partitions, OptionalInt replicas) {
        Map<String, Integer> there = partitionCounts();
        Optional<Integer> count = Optional.of(equal(there).orElse(partitions));
        Optional<Short> copies = replicas.isPresent() ? Optional.of((short) replicas.getAsInt()) : Optional.empty();
        List<String> made = new ArrayList<>();
        for (Topic<?> topic : Topic.all()) {
            if (there.containsKey(topic.name())) {
                continue;
            }
            Map<String, String> config = new HashMap<>(topic.settings());
            if (replicas.orElse(0) > 2) {
                config.put("min.insync.replicas", "2");
            }
            try {
                get(admin.createTopics(List.of(new NewTopic(topic.name(), count, copies).configs(config)))
                        .all());
                made.add(topic.name());
            } catch (TopicExistsException e) {
                // Somebody else makes them too; theirs is as good.
            }
        }
        return made;
    }

    /**
     * The number of partitions of the topics that are there, empty when none is.
     *
     * @throws IllegalStateException when they have unequal numbers
     */
    public OptionalInt partitions() {
        return equal(partitionCounts());
    }

    /** {@code topic → partitions} of those that are there, in the order of the catalogue. */
    private Map<String, Integer> partitionCounts() {
        Set<String> there = get(admin.listTopics().names());
        List<String> ours = Topic.all().stream()
                .map(topic -> topic.name())
                .filter(there::contains)
                .toList();
        Map<String, TopicDescription> descriptions =
                get(admin.describeTopics(ours).allTopicNames());
        Map<String, Integer> counts = new LinkedHashMap<>();
        ours.forEach(name -> counts.put(
                name, requireNonNull(descriptions.get(name)).partitions().size()));
        return counts;
    }

    private static OptionalInt equal(Map<String, Integer> counts) {
        Optional<String> unequal = unequal(counts);
        if (unequal.isPresent()) {
            throw new IllegalStateException(unequal.orElseThrow());
        }
        return counts.values().stream().mapToInt(Integer::intValue).findFirst();
    }

    /** What is wrong when topics have unequal numbers of partitions. */
    private static Optional<String> unequal(Map<String, Integer> counts) {
        return counts.values().stream().distinct().count() <= 1
                ? Optional.empty()
                : Optional.of("topics have unequal numbers of partitions: "
                        + counts.entrySet().stream()
                                .map(count -> count.getKey() + " " + count.getValue())
                                .collect(Collectors.joining(", "))
                        + "; a deployment has one partition number in all of them: delete those that have another than"
                        + " the rest and make them with: plimsoll topics create");
    }

    /** The names of the catalogue's topics that the cluster does not have, or does not show us. */
    public List<String> missing() {
        Set<String> there = get(admin.listTopics().names());
        return Topic.all().stream()
                .map(topic -> topic.name())
                .filter(name -> !there.contains(name))
                .toList();
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
        Optional<TopicDescription> first = ours.stream().findFirst().map(descriptions::get);
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
                                    differences(topic, config, description, first.orElse(description))));
        }
        return status;
    }

    private static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    private static List<String> differences(
            Topic<?> topic, Config config, TopicDescription description, TopicDescription first) {
        List<String> differences = new ArrayList<>();
        int partitions = description.partitions().size();
        if (partitions != first.partitions().size()) {
            differences.add("partitions is " + partitions + ", should be "
                    + first.partitions().size() + " as in " + first.name());
        }
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

    /**
     * What about the cluster is not as we need it (transaction version below 2, unequal topics, a broker that cannot be reached …),
     * in words.
     */
    public List<String> warnings() {
        try {
            List<String> warnings = new ArrayList<>();
            Map<String, FinalizedVersionRange> features =
                    get(admin.describeFeatures().featureMetadata()).finalizedFeatures();
            FinalizedVersionRange transactions = features.get(TRANSACTION_VERSION);
            int version = transactions == null ? 0 : transactions.maxVersionLevel();
            if (version < 2) {
                warnings.add("the cluster has " + TRANSACTION_VERSION + "=" + version
                        + ": below 2 a delayed commit can hit a later transaction, so that windows may be lost;"
                        + " upgrade with: kafka-features.sh upgrade --feature " + TRANSACTION_VERSION + "=2");
            }
            unequal(partitionCounts()).ifPresent(warnings::add);
            return warnings;
        } catch (KafkaException e) {
            return List.of(
                    "cannot ask the cluster at " + settings.bootstrapServers() + ": " + KafkaFailure.describe(e));
        }
    }

    private <T> T get(KafkaFuture<T> future) {
        try {
            T answer = future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            pulse.answered();
            return answer;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TimeoutException timedOut) {
                pulse.failed(timedOut);
            }
            throw e.getCause() instanceof KafkaException failure ? failure : new KafkaException(e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            TimeoutException timedOut = new TimeoutException(
                    "no answer from " + settings.bootstrapServers() + " within " + timeout.toMillis() + " ms");
            pulse.failed(timedOut);
            throw timedOut;
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
        pulse.close();
    }
}
