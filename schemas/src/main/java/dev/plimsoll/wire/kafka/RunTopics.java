package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * The topics that one replay is published to, {@code plimsoll.replay.RUN.windows.v1} and three more: made, listed and deleted by their
 * exact names, so that no other topic is ever touched. Calls block, bounded by the time-out.
 */
public final class RunTopics implements AutoCloseable {
    /** Begins the names of all of them. */
    public static final String PREFIX = Topic.PREFIX + "replay.";

    /** What a run is published as. */
    public static final List<Topic<?>> KINDS =
            List.of(Topic.WINDOWS, Topic.WINDOW_SUMMARIES, Topic.PLAN, Topic.OUTCOMES);

    // Without dots, so that no run's topics are those of another one.
    private static final Pattern RUN = Pattern.compile("[a-z0-9][a-z0-9-]{0,47}");

    private final KafkaSettings settings;
    private final Duration timeout;
    private final Admin admin;

    public RunTopics(KafkaSettings settings, Duration timeout) {
        this.settings = settings;
        this.timeout = timeout;
        this.admin = Clients.admin(settings, ClientProperties.admin(settings, timeout));
    }

    /**
     * The name of a run's topic.
     *
     * @throws IllegalArgumentException when it is no name of a run
     */
    public static String name(String run, Topic<?> kind) {
        require(run);
        if (!KINDS.contains(kind)) {
            throw new IllegalArgumentException("a run has no " + kind);
        }
        return PREFIX + run + "." + kind.name().substring(Topic.PREFIX.length());
    }

    /** @throws IllegalArgumentException when it is no name of a run; says what one is */
    public static String require(String run) {
        if (!RUN.matcher(run).matches()) {
            throw new IllegalArgumentException("'" + run
                    + "' is no name of a run: 1 to 48 lower-case letters, digits and hyphens, the first no hyphen");
        }
        return run;
    }

    /**
     * Makes a run's topics, which keep what they get whatever its age, with as many partitions as the windows topic has.
     *
     * @throws IllegalStateException when one is there already
     */
    public void create(String run) {
        Map<String, Long> there = records(run);
        if (!there.isEmpty()) {
            throw new IllegalStateException("run " + run + " was published already: " + there.keySet()
                    + "; take another name, or delete them with: plimsoll replay rm " + run + " --execute");
        }
        int partitions = Objects.requireNonNull(
                        get(admin.describeTopics(List.of(Topic.WINDOWS.name())).allTopicNames())
                                .get(Topic.WINDOWS.name()))
                .partitions()
                .size();
        List<NewTopic> topics = KINDS.stream()
                .map(kind -> new NewTopic(name(run, kind), Optional.of(partitions), Optional.<Short>empty())
                        .configs(config(kind)))
                .toList();
        get(admin.createTopics(topics).all());
    }

    private static Map<String, String> config(Topic<?> kind) {
        Map<String, String> config = new HashMap<>(kind.settings());
        config.put("cleanup.policy", "delete");
        // The records are as old as what was replayed.
        config.put("retention.ms", "-1");
        config.put("retention.bytes", "-1");
        config.put("message.timestamp.type", "CreateTime");
        return config;
    }

    /** {@code topic → offsets in use} of the topics that a run has, in order. */
    public Map<String, Long> records(String run) {
        Set<String> there = get(admin.listTopics().names());
        List<String> ours = KINDS.stream()
                .map(kind -> name(run, kind))
                .filter(there::contains)
                .toList();
        Map<String, TopicDescription> descriptions =
                get(admin.describeTopics(ours).allTopicNames());
        Map<String, Long> records = new LinkedHashMap<>();
        ours.forEach(topic -> records.put(topic, records(Objects.requireNonNull(descriptions.get(topic)))));
        return records;
    }

    private long records(TopicDescription topic) {
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        topic.partitions()
                .forEach(partition ->
                        ends.put(new TopicPartition(topic.name(), partition.partition()), OffsetSpec.latest()));
        return get(admin.listOffsets(ends).all()).values().stream()
                .mapToLong(ListOffsetsResultInfo::offset)
                .sum();
    }

    /** Names of the runs that are published, in order. */
    public Set<String> runs() {
        Set<String> runs = new TreeSet<>();
        for (String topic : get(admin.listTopics().names())) {
            String rest = topic.startsWith(PREFIX) ? topic.substring(PREFIX.length()) : "";
            String run = rest.indexOf('.') < 0 ? "" : rest.substring(0, rest.indexOf('.'));
            if (RUN.matcher(run).matches()
                    && KINDS.stream().anyMatch(kind -> name(run, kind).equals(topic))) {
                runs.add(run);
            }
        }
        return runs;
    }

    /** Deletes a run's topics; the names of those that were there. */
    public List<String> delete(String run) {
        List<String> there = List.copyOf(records(run).keySet());
        get(admin.deleteTopics(there).all());
        return there;
    }

    private <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException failure ? failure : new KafkaException(e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException(
                    "no answer from " + settings.bootstrapServers() + " within " + timeout.toMillis() + " ms");
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}
