package dev.plimsoll.wire.kafka;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** A consumer, as a member of the group or of assigned partitions, of what a loop uses of one. */
final class SimConsumer {
    private static final class Fetched {
        private long position = -1;
        private boolean paused;
    }

    private final SimWorld world;
    private final SimProcess process;
    private final boolean uncommitted;
    private final String group;
    private final Map<TopicPartition, Fetched> assigned =
            new TreeMap<>((a, b) -> a.topic().equals(b.topic())
                    ? Integer.compare(a.partition(), b.partition())
                    : a.topic().compareTo(b.topic()));
    private final Set<Integer> busy = new HashSet<>();
    /** With which metadata a partition's offsets may be committed: those that were current while it was ours. */
    private final Map<Integer, Set<ConsumerGroupMetadata>> owned = new HashMap<>();

    private @Nullable ConsumerRebalanceListener listener;
    private String topic = "";
    private String member = "";
    private int epoch = -1;
    private int emptyPolls;
    private long silences;
    private boolean closed;
    private SimScheduler.@Nullable SimThread user;

    SimConsumer(SimWorld world, SimProcess process, Map<String, Object> properties) {
        this.world = world;
        this.process = process;
        this.uncommitted = !"read_committed".equals(properties.get("isolation.level"));
        this.group = String.valueOf(properties.get("group.id"));
        if (!"none".equals(properties.get("auto.offset.reset"))
                || !Boolean.FALSE.equals(properties.get("enable.auto.commit"))) {
            world.violated("a consumer may set its position by itself or commits by itself: " + properties);
        }
    }

    @SuppressWarnings("unchecked")
    Consumer<byte[], ByteBuffer> client() {
        return SimClient.of(Consumer.class, this);
    }

    // As a member of the group.

    public void subscribe(Collection<String> topics, ConsumerRebalanceListener assignment) {
        touch();
        topic = topics.iterator().next();
        listener = assignment;
    }

    /** Its heartbeats stop for so long. */
    void silentFor(long nanos) {
        String silent = member;
        long began = ++silences;
        if (listener == null || silent.isEmpty() || nanos < world.sessionNanos()) {
            return;
        }
        world.scheduler().after(world.sessionNanos(), () -> {
            if (began == silences && world.group().knows(silent)) {
                world.happened(SimFault.SESSION_EXPIRED);
                world.trace("group", "gives up", silent);
                world.group().leave(silent);
            }
        });
    }

    /** Its heartbeats are there again. */
    void heard() {
        silences++;
    }

    /** Whether a partition's writer has a transaction under way. */
    void busy(int partition, boolean is) {
        if (is) {
            busy.add(partition);
        } else {
            busy.remove(partition);
        }
    }

    /** E2: offsets are committed with what was current while the partition was ours. */
    void checkOwner(int partition, ConsumerGroupMetadata metadata) {
        if (!owned.getOrDefault(partition, Set.of()).contains(metadata)) {
            world.violated("E2: " + process + " commits offsets of partition " + partition
                    + " with metadata that was not read while it owned that: " + metadata);
        }
    }

    // A member's own is a class of the client's internals.
    @SuppressWarnings("removal")
    public ConsumerGroupMetadata groupMetadata() {
        touch();
        if (!world.group().classic() && world.chance(0.5)) {
            epoch = world.group().heartbeat(member, epoch);
        }
        ConsumerGroupMetadata metadata = new ConsumerGroupMetadata(group, epoch, member, Optional.empty());
        for (TopicPartition partition : assigned.keySet()) {
            owned.computeIfAbsent(partition.partition(), unknown -> new HashSet<>())
                    .add(metadata);
        }
        return metadata;
    }

    private void reconcile(ConsumerRebalanceListener told) {
        SimGroup coordinator = world.group();
        if (!coordinator.knows(member)) {
            if (!assigned.isEmpty()) {
                List<TopicPartition> lost = List.copyOf(assigned.keySet());
                world.trace(process, "loses", lost);
                told.onPartitionsLost(lost);
                assigned.clear();
            }
            member = coordinator.join();
            world.trace(process, "joins as", member);
        }
        coordinator.polls(member);
        Set<Integer> revoked = coordinator.toRevoke(member);
        if (!revoked.isEmpty()) {
            List<TopicPartition> gone = revoked.stream()
                    .map(partition -> new TopicPartition(topic, partition))
                    .toList();
            world.trace(process, "gives up", gone);
            told.onPartitionsRevoked(gone);
            gone.forEach(assigned::remove);
            process.sleep(world.delay());
            coordinator.revoked(member, revoked);
        }
        if (!coordinator.knows(member)) {
            return;
        }
        Set<Integer> news = coordinator.toAssign(member);
        epoch = coordinator.epoch(member);
        if (!news.isEmpty()) {
            List<TopicPartition> got = news.stream()
                    .map(partition -> new TopicPartition(topic, partition))
                    .toList();
            world.trace(process, "gets", got);
            got.forEach(partition -> assigned.put(partition, new Fetched()));
            told.onPartitionsAssigned(got);
        }
    }

    /** The numbers of the partitions that are assigned. */
    Set<Integer> numbers() {
        Set<Integer> numbers = new TreeSet<>();
        assigned.keySet().forEach(partition -> numbers.add(partition.partition()));
        return numbers;
    }

    // As any consumer.

    public void assign(Collection<TopicPartition> partitions) {
        touch();
        assigned.keySet().retainAll(partitions);
        partitions.forEach(partition -> assigned.computeIfAbsent(partition, unknown -> new Fetched()));
    }

    public Set<TopicPartition> assignment() {
        touch();
        return Set.copyOf(assigned.keySet());
    }

    public void seek(TopicPartition partition, long offset) {
        touch();
        fetched(partition).position = offset;
    }

    public void pause(Collection<TopicPartition> partitions) {
        touch();
        partitions.forEach(partition -> fetched(partition).paused = true);
    }

    public void resume(Collection<TopicPartition> partitions) {
        touch();
        partitions.forEach(partition -> fetched(partition).paused = false);
    }

    public long position(TopicPartition partition, Duration timeout) {
        touch();
        Fetched fetched = fetched(partition);
        if (world.draw(SimFault.POSITION_UNKNOWN)) {
            world.happened(SimFault.POSITION_UNKNOWN);
            throw new TimeoutException("simulated");
        }
        return fetched.position;
    }

    public OptionalLong currentLag(TopicPartition partition) {
        return OptionalLong.empty();
    }

    public Map<MetricName, ? extends Metric> metrics() {
        return Map.of();
    }

    /** A consumer is one thread's. */
    private void touch() {
        process.step();
        SimScheduler.SimThread current = world.scheduler().current();
        if (user == null) {
            user = current;
        } else if (user != current) {
            world.violated("B1: a consumer of " + process + " is used by two threads");
        }
    }

    private Fetched fetched(TopicPartition partition) {
        Fetched fetched = assigned.get(partition);
        if (fetched == null) {
            throw new IllegalStateException("No current assignment for partition " + partition);
        }
        return fetched;
    }

    public ConsumerRecords<byte[], ByteBuffer> poll(Duration timeout) {
        touch();
        world.polled();
        if (closed) {
            throw new IllegalStateException("poll of a closed consumer");
        }
        if (world.draw(SimFault.POLL_RETRIABLE)) {
            world.happened(SimFault.POLL_RETRIABLE);
            throw new TimeoutException("simulated");
        }
        if (world.draw(SimFault.POLL_BROKEN)) {
            world.happened(SimFault.POLL_BROKEN);
            if (world.chance(0.5)) {
                // Nobody knows its state: it may have passed over what it had fetched.
                try {
                    var unused = fetch();
                } catch (OffsetOutOfRangeException e) {
                    // It fails anyway.
                }
            }
            throw new KafkaException("simulated");
        }
        if (world.awayFor() == 0) {
            ConsumerRebalanceListener told = listener;
            if (told != null) {
                reconcile(told);
            }
            ConsumerRecords<byte[], ByteBuffer> records = fetch();
            if (!records.isEmpty()) {
                emptyPolls = 0;
                process.sleep(world.delay());
                return records;
            }
        }
        emptyPolls++;
        // A thread that waits may be woken late: with nothing to do it is, so that idle time costs few rounds.
        long longest = Math.min(timeout.toNanos() << Math.min(emptyPolls, 6), world.idleNanos());
        process.sleep(timeout.isZero() ? 0 : Math.max(timeout.toNanos(), longest));
        return ConsumerRecords.empty();
    }

    private ConsumerRecords<byte[], ByteBuffer> fetch() {
        int most = 1 + world.random().nextInt(12);
        Map<TopicPartition, List<ConsumerRecord<byte[], ByteBuffer>>> found = new LinkedHashMap<>();
        Map<TopicPartition, Long> outOfRange = new HashMap<>();
        for (Map.Entry<TopicPartition, Fetched> entry : assigned.entrySet()) {
            TopicPartition partition = entry.getKey();
            Fetched fetched = entry.getValue();
            if (fetched.paused) {
                continue;
            }
            if (listener != null && busy.contains(partition.partition())) {
                world.violated("E3: " + process + " polls " + partition + " while its transaction is open");
            }
            SimLog log = world.log(partition);
            if (fetched.position < log.start() || fetched.position > log.end()) {
                outOfRange.put(partition, fetched.position);
                continue;
            }
            List<ConsumerRecord<byte[], ByteBuffer>> records = new ArrayList<>();
            long to = uncommitted ? log.end() : log.stable();
            long at = fetched.position;
            for (; at < to && most > 0; at++) {
                SimLog.Entry read = log.at(at);
                if (read.visible() || uncommitted && !read.marker()) {
                    if (!read.visible()) {
                        world.violated(
                                "E6: " + process + " reads " + partition + "@" + at + ", which is not committed");
                    }
                    records.add(record(partition, at, read));
                    most--;
                }
            }
            fetched.position = at;
            if (!records.isEmpty()) {
                found.put(partition, records);
            }
        }
        if (!outOfRange.isEmpty()) {
            if (found.isEmpty()) {
                world.happened(SimFault.OUT_OF_RANGE);
                throw new OffsetOutOfRangeException(outOfRange);
            }
            // What was fetched is given out first.
        }
        return found.isEmpty() ? ConsumerRecords.empty() : new ConsumerRecords<>(found, Map.of());
    }

    private static ConsumerRecord<byte[], ByteBuffer> record(TopicPartition partition, long offset, SimLog.Entry read) {
        byte[] value = read.value();
        return new ConsumerRecord<>(
                partition.topic(),
                partition.partition(),
                offset,
                read.timestampMillis(),
                TimestampType.CREATE_TIME,
                0,
                0,
                Objects.requireNonNullElse(read.key(), new byte[0]),
                value == null ? null : ByteBuffer.wrap(value),
                new RecordHeaders(),
                Optional.empty());
    }

    public void close(CloseOptions options) {
        closed = true;
        if (!process.dead() && world.group().knows(member)) {
            world.group().leave(member);
        }
        assigned.clear();
    }
}
