package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.End;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What has to hold of the logs: at every commit, and at the end. */
final class SimChecks {
    private final SimWorld world;
    private final Set<Integer> cutAhead = new HashSet<>();
    private final Set<Integer> acksCut = new HashSet<>();

    SimChecks(SimWorld world) {
        this.world = world;
    }

    void cutAhead(int partition) {
        cutAhead.add(partition);
    }

    void cutAcks(int partition) {
        acksCut.add(partition);
    }

    boolean areAcksCut(int partition) {
        return acksCut.contains(partition);
    }

    /** A task is given the record at an offset, and it expected the next one from another on. */
    void given(TopicPartition input, long from, long offset) {
        SimLog log = world.log(input);
        for (long skipped = from; skipped < offset; skipped++) {
            if (log.at(skipped).visible() && skipped >= log.start() && !cutAhead.contains(input.partition())) {
                world.violated(input + "@" + skipped + " was left out before " + offset);
            }
        }
        if (offset < from) {
            world.violated(input + "@" + offset + " was given again, " + from + " was next");
        }
    }

    /** A task is told where its log begins, so that it knows what it has lost. */
    void loss(TopicPartition input, long committed, long start, long told) {
        SimLog log = world.log(input);
        long lost = log.nextVisibleOfAll(committed);
        if (lost >= 0 && lost < start && told <= committed) {
            world.violated(input + "@" + lost + " was taken away before it was read, and nobody is told");
        }
    }

    /** A task has recovered fewer acks than were answered. */
    void missesAcks(int partition, long seen, long told) {
        if (!acksCut.contains(partition)) {
            world.violated("of " + told + " acks of partition " + partition + " that were answered " + seen
                    + " are read again");
        }
    }

    /** E1: whatever a transaction has written agrees with the offset that it has committed. */
    void transactionCommitted(Set<TopicPartition> written, Set<TopicPartition> offsets) {
        if (!written.isEmpty() && offsets.isEmpty()) {
            world.violated("E1: a transaction wrote " + written + " and committed no offset");
        }
        for (TopicPartition input : offsets) {
            agree(input.partition());
        }
    }

    private void agree(int partition) {
        TopicPartition input = world.partition(Topic.SAMPLES, partition);
        OffsetAndMetadata committed = world.transactions().committed().get(input);
        long offset = committed == null ? 0 : committed.offset();
        String key = world.chain(partition).ofInput().id();
        long outputs = count(world.log(world.partition(Topic.PLAN, partition)), key)
                + count(world.log(world.partition(Topic.QUARANTINE, partition)), null);
        long inputs = world.log(input).visibleBelow(offset);
        if (outputs > inputs || outputs < inputs && !cutAhead.contains(partition)) {
            world.violated("E1: " + outputs + " outputs are committed for " + inputs + " inputs of " + input
                    + " below the committed offset " + offset);
        }
    }

    private static long count(SimLog log, @Nullable String key) {
        long count = 0;
        for (long offset = 0; offset < log.stable(); offset++) {
            SimLog.Entry entry = log.at(offset);
            if (entry.visible()
                    && (key == null
                            || key.equals(new String(Objects.requireNonNull(entry.key()), StandardCharsets.UTF_8)))) {
                count++;
            }
        }
        return count;
    }

    /** Whether everything that was written has been answered. */
    boolean complete() {
        for (int partition = 0; partition < world.partitions(); partition++) {
            TopicPartition input = world.partition(Topic.SAMPLES, partition);
            SimLog log = world.log(input);
            OffsetAndMetadata committed = world.transactions().committed().get(input);
            long offset = committed == null ? 0 : committed.offset();
            if (world.transactions().unstable(input) || log.stable() < log.end() || log.nextVisible(offset) >= 0) {
                return false;
            }
            SimLog plan = world.log(world.partition(Topic.PLAN, partition));
            if (plan.stable() < plan.end()
                    || count(plan, world.chain(partition).ofAcks().id()) < world.acks(partition)) {
                return false;
            }
        }
        return true;
    }

    /** The logs, against a fold over the input that nothing disturbs. */
    void atTheEnd() {
        for (int partition = 0; partition < world.partitions(); partition++) {
            agree(partition);
            List<Long> expected = new ArrayList<>();
            List<Long> bad = new ArrayList<>();
            SimLog samples = world.log(world.partition(Topic.SAMPLES, partition));
            for (long offset = samples.nextVisibleOfAll(0);
                    offset >= 0;
                    offset = samples.nextVisibleOfAll(offset + 1)) {
                long number = number(samples.at(offset));
                if (number < 0 || number % world.partitions() != partition || world.poisonous(number)) {
                    bad.add(offset);
                } else {
                    expected.add(number);
                }
            }
            List<Long> answered = new ArrayList<>();
            List<Long> acks = new ArrayList<>();
            for (PlanCommand command : read(Topic.PLAN, partition)) {
                if (command.header().deployment().equals(world.chain(partition).ofInput())) {
                    answered.add(command.header().incarnation());
                    if (command.header().number() != answered.size()) {
                        world.violated("output " + answered.size() + " of partition " + partition + " has number "
                                + command.header().number());
                    }
                } else {
                    acks.add(command.header().number());
                    if (command.header().number() != acks.size()) {
                        world.violated("answer " + acks.size() + " to acks of partition " + partition + " has number "
                                + command.header().number());
                    }
                }
            }
            List<Long> quarantined = read(Topic.QUARANTINE, partition).stream()
                    .map(Quarantined::offset)
                    .toList();
            if (acks.size() != world.acks(partition)) {
                world.violated(acks.size() + " of " + world.acks(partition) + " acks are answered");
            }
            compare("outputs of partition " + partition, expected, answered, cutAhead.contains(partition));
            compare("quarantined of partition " + partition, bad, quarantined, cutAhead.contains(partition));
        }
    }

    private void compare(String what, List<Long> expected, List<Long> found, boolean mayMiss) {
        if (mayMiss) {
            List<Long> inOrder =
                    expected.stream().filter(new HashSet<>(found)::contains).toList();
            if (!inOrder.equals(found)) {
                world.violated(what + " are " + found + " and not a part of " + expected);
            }
        } else if (!expected.equals(found)) {
            world.violated(what + " are " + found + " and not " + expected);
        }
    }

    private <T> List<T> read(Topic<T> topic, int partition) {
        List<T> values = new ArrayList<>();
        SimLog log = world.log(world.partition(topic, partition));
        for (long offset = log.nextVisibleOfAll(0); offset >= 0; offset = log.nextVisibleOfAll(offset + 1)) {
            try {
                values.add(topic.decode(Objects.requireNonNull(log.at(offset).value())));
            } catch (WireException e) {
                world.violated(topic + "-" + partition + "@" + offset + " cannot be read: " + e.getMessage());
            }
        }
        return values;
    }

    private static long number(SimLog.Entry entry) {
        try {
            SampleRecord sample = Topic.SAMPLES.decode(Objects.requireNonNull(entry.value()));
            return ((End) sample).incarnation();
        } catch (WireException e) {
            return -1;
        }
    }
}
