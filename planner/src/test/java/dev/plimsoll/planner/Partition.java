package dev.plimsoll.planner;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.InputLog;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.RecoveryRead;
import dev.plimsoll.wire.kafka.Transaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** One partition of all topics in memory, and the loop that runs a {@link PlannerTask} on it. */
final class Partition {
    private final Map<Topic<?>, List<Received<?>>> topics = new HashMap<>();
    private final Map<Topic<?>, Integer> read = new HashMap<>();
    private final Map<Topic<?>, Integer> recovered = new HashMap<>();
    private OptionalLong committed = OptionalLong.empty();
    private String note = "";
    private String topicId = "windows";
    private Optional<PlannerTask> task = Optional.empty();
    private List<Output<?>> lastTransaction = List.of();
    private boolean fenced;
    long now;

    <T> void append(Topic<T> topic, T value) {
        append(topic, value, now);
    }

    /** @param millis what the record is dated */
    <T> void append(Topic<T> topic, T value, long millis) {
        List<Received<?>> records = records(topic);
        records.add(new Received<>(topic, 0, records.size(), millis, value));
    }

    private <T> void append(Output<T> output) {
        append(output.topic(), output.value());
    }

    private List<Received<?>> records(Topic<?> topic) {
        return topics.computeIfAbsent(topic, none -> new ArrayList<>());
    }

    /** Another planner has fenced the task's: its next transaction fails, and so does it. */
    void fence() {
        fenced = true;
    }

    /** Assigns the partition to a new task, as after a crash of the one before. */
    void assign(PlannerTask next) {
        task = Optional.of(next);
        fenced = false;
        for (Topic<?> topic : next.companions()) {
            read.put(topic, records(topic).size());
        }
        recovered.clear();
        InputLog log = new InputLog(0, 1, topicId, 0, records(Topic.WINDOWS).size(), committed, note);
        for (Optional<RecoveryRead<?>> asked = next.nextRead(log); asked.isPresent(); asked = next.nextRead(log)) {
            deliver(asked.get());
        }
        long from = next.recovered(log);
        if (from < log.first() || from > log.end()) {
            throw new IllegalStateException("offset " + from + " is not in " + log);
        }
        read.put(Topic.WINDOWS, (int) from);
        commit();
    }

    /** Polls once: companions first or last, as there is no order between topics. */
    void poll(boolean companionsFirst) {
        PlannerTask running = task.orElseThrow();
        if (companionsFirst) {
            running.companions().forEach(topic -> drain(topic, running));
        }
        for (Received<?> record : unread(Topic.WINDOWS)) {
            running.onRecord(as(Topic.WINDOWS, record));
        }
        if (!companionsFirst) {
            running.companions().forEach(topic -> drain(topic, running));
        }
        running.onPoll(now);
        commit();
    }

    /** Polls once, and dies before what comes of it is committed. */
    void pollAndLose() {
        PlannerTask running = task.orElseThrow();
        running.companions().forEach(topic -> drain(topic, running));
        unread(Topic.WINDOWS).forEach(record -> running.onRecord(as(Topic.WINDOWS, record)));
        running.onPoll(now);
        running.takeTransaction();
        running.onLost();
    }

    /** What was committed together, last. */
    List<Output<?>> lastTransaction() {
        return lastTransaction;
    }

    /** Polls once, and gets no more than that many windows' records, as after a take-over of many. */
    void pollRecords(int most) {
        PlannerTask running = task.orElseThrow();
        int from = read.getOrDefault(Topic.WINDOWS, 0);
        List<Received<?>> records = records(Topic.WINDOWS);
        int to = Math.min(records.size(), from + most);
        read.put(Topic.WINDOWS, to);
        for (Received<?> record : List.copyOf(records.subList(from, to))) {
            running.onRecord(as(Topic.WINDOWS, record));
        }
        running.onPoll(now);
        commit();
    }

    private void drain(Topic<?> topic, PlannerTask running) {
        unread(topic).forEach(running::onCompanion);
    }

    private List<Received<?>> unread(Topic<?> topic) {
        List<Received<?>> records = records(topic);
        List<Received<?>> unread = List.copyOf(records.subList(read.getOrDefault(topic, 0), records.size()));
        read.put(topic, records.size());
        return unread;
    }

    private void commit() {
        for (Optional<Transaction> transaction = task.orElseThrow().takeTransaction();
                transaction.isPresent();
                transaction = task.orElseThrow().takeTransaction()) {
            if (fenced) {
                task.orElseThrow().onLost();
                return;
            }
            transaction.orElseThrow().outputs().forEach(this::append);
            lastTransaction = transaction.orElseThrow().outputs();
            committed = OptionalLong.of(transaction.orElseThrow().nextInputOffset());
            note = transaction.orElseThrow().note();
            task.orElseThrow().onCommitted();
        }
    }

    @SuppressWarnings("unchecked")
    private static <T> Received<T> as(Topic<T> topic, Received<?> record) {
        if (record.topic() != topic) {
            throw new IllegalArgumentException("a record of another topic");
        }
        return (Received<T>) record;
    }

    int size(Topic<?> topic) {
        return records(topic).size();
    }

    /** The newest so many, or all. */
    <T> List<T> last(Topic<T> topic, int most) {
        List<Received<?>> all = records(topic);
        return all.subList(Math.max(0, all.size() - most), all.size()).stream()
                .map(record -> as(topic, record).value())
                .toList();
    }

    <T> List<T> values(Topic<T> topic) {
        return stored(topic).stream().map(Received::value).toList();
    }

    /** What stands beside the committed offset. */
    String note() {
        return note;
    }

    /** As a release before this one would have left it. */
    void forgetNote() {
        note = "";
    }

    /** The windows topic is deleted and made again; what the group has committed stays. */
    void makeWindowsAgain() {
        topicId += "'";
        records(Topic.WINDOWS).clear();
    }

    /** The windows topic loses its newest records, as a replica that was behind becomes the leader. */
    void cutWindowsAt(int end) {
        records(Topic.WINDOWS).subList(end, records(Topic.WINDOWS).size()).clear();
    }

    /** How many records of a topic the running task has read to recover. */
    int recovered(Topic<?> topic) {
        return recovered.getOrDefault(topic, 0);
    }

    /** Where the running task reads on. */
    int position() {
        return read.getOrDefault(Topic.WINDOWS, 0);
    }

    OptionalLong committedOffset() {
        return committed;
    }

    private <T> void deliver(RecoveryRead<T> asked) {
        List<Received<T>> all = stored(asked.topic());
        long young = asked.range().sinceMillis().isEmpty()
                ? -1
                : all.stream()
                        .filter(record -> record.timestampMillis()
                                >= asked.range().sinceMillis().getAsLong())
                        .mapToLong(Received::offset)
                        .findFirst()
                        .orElse(-1);
        long to = Math.min(all.size(), asked.range().to().orElse(all.size()));
        long begin = asked.range().begin(0, young, all.size());
        if (begin < to) {
            recovered.merge(asked.topic(), (int) (to - begin), Integer::sum);
            all.subList((int) begin, (int) to).forEach(asked.each());
        }
        asked.through().accept(to);
    }

    private <T> List<Received<T>> stored(Topic<T> topic) {
        return records(topic).stream().map(record -> as(topic, record)).toList();
    }
}
