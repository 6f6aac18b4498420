package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import dev.plimsoll.wire.WireException.Reason;
import dev.plimsoll.wire.life.Blast;
import dev.plimsoll.wire.life.Effect;
import dev.plimsoll.wire.life.Event;
import dev.plimsoll.wire.life.PartitionLife;
import dev.plimsoll.wire.life.Phase;
import dev.plimsoll.wire.life.Place;
import dev.plimsoll.wire.life.Step;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One assigned partition of a {@link PartitionLoop}: does what its {@link PartitionLife} says. All bookkeeping of a partition is in
 * here and dies with it. Owned by the loop's thread.
 *
 * <p>While anything but {@link Phase#RUNNING}, while a commit is under way and while it is doubted that the log is the same, the
 * partition's input is paused. A partition whose input has never had a record gets its producer with the first record or the first
 * transaction: a cluster of 64 partitions has mostly empty ones.
 */
final class OwnedPartition<I> {
    private static final Logger LOG = LoggerFactory.getLogger(OwnedPartition.class);

    private final TopicPartition input;
    private final Topic<I> topic;
    private final LoopCommons<I> loop;
    private final Consumer<byte[], ByteBuffer> consumer;
    private final AssignedReader reader;
    private final Backoff backoff;
    private PartitionLife life = PartitionLife.assigned();
    private @Nullable TakeOver takingOver;
    private TakeOver.@Nullable Found found;
    private @Nullable Recovery<I> recovery;
    private @Nullable PartitionTask<I> task;
    private Map<String, Topic<?>> companions = Map.of();
    private @Nullable CompletableFuture<Duration> committing;
    /** The newest that was taken or committed, and the offset up to which no record follows it, as far as was said with it. */
    private @Nullable Transaction newest;

    private long emptyBefore;
    private boolean renewing;
    /** The offset behind the last record that the task was given. */
    private long delivered;
    /** Where the consumer was when it last could say so. */
    private long position;

    private boolean doubting;

    OwnedPartition(TopicPartition input, LoopCommons<I> loop) {
        this.input = input;
        this.topic = loop.input();
        this.loop = loop;
        this.consumer = loop.consumer();
        this.reader = loop.reader();
        this.backoff = new Backoff(loop.clock());
    }

    TopicPartition input() {
        return input;
    }

    Phase phase() {
        return life.phase();
    }

    /** Whether something is awaited that is not a record: the next round should come soon. */
    boolean moving() {
        return phase() == Phase.FENCING || phase() == Phase.RECOVERING || committing != null || doubting;
    }

    /** Whether it waits for its turn. */
    boolean due() {
        return switch (phase()) {
            case ASSIGNED -> true;
            case WAITING, QUARANTINED -> backoff.over();
            case FENCING, RECOVERING, RUNNING -> false;
        };
    }

    /** Whether it has failed and not run since: a try that is under way has yet to show that it works. */
    boolean failing() {
        return backoff.failing();
    }

    void begin() {
        happened(new Event.Due(), null);
    }

    /** One round: whatever can be done without waiting. */
    void round(
            List<ConsumerRecord<byte[], ByteBuffer>> records,
            List<ConsumerRecord<byte[], ByteBuffer>> ofCompanions,
            long nowMillis,
            long sliceUntilNanos) {
        switch (phase()) {
            case FENCING -> {
                TakeOver fencing = Objects.requireNonNull(takingOver);
                if (fencing.done()) {
                    found = fencing.result();
                    takingOver = null;
                    happened(new Event.TakenOver(found.writer() != null), null);
                }
            }
            case RECOVERING -> {
                if (Objects.requireNonNull(recovery).advance(sliceUntilNanos)) {
                    happened(new Event.Recovered(), null);
                }
            }
            case RUNNING -> run(Objects.requireNonNull(task), records, ofCompanions, nowMillis);
            case ASSIGNED, WAITING, QUARANTINED -> {}
        }
    }

    /** Something went wrong with it that does not concern the whole process. */
    void failed(Throwable failure) {
        if (failure instanceof CrashException crash) {
            happened(new Event.Crashed(crash.place(), crash.crash() instanceof Error), crash);
            return;
        }
        happened(
                new Event.Failed(
                        switch (KafkaFailure.of(failure)) {
                            case RETRY -> Event.Remedy.RETRY;
                            case RESET -> Event.Remedy.RESET;
                            case REFUSED, FATAL -> Event.Remedy.QUARANTINE;
                        }),
                failure);
    }

    /** The input's topic was looked at. */
    void seen(TopicDescription description) {
        if (found == null) {
            return;
        }
        InputLog log = found.log();
        if (!log.topicId().equals(description.topicId().toString())
                || log.partitions() != description.partitions().size()) {
            LogChangedException change = new LogChangedException(
                    input.topic(),
                    log,
                    description.topicId().toString(),
                    description.partitions().size());
            loop.logChanged(input, change);
            happened(new Event.LogChanged(), change);
        } else if (doubting) {
            doubting = false;
            resume();
        }
    }

    private void happened(Event event, @Nullable Throwable cause) {
        Step step = life.on(event);
        life = step.next();
        step.effects().forEach(effect -> perform(effect, cause));
    }

    private void perform(Effect effect, @Nullable Throwable cause) {
        switch (effect) {
            case TAKE_OVER -> takingOver = loop.takeOver(input, life.mustFence());
            case RECOVER -> {
                TakeOver.Found taken = Objects.requireNonNull(found);
                recovery = new Recovery<>(
                        loop.newTask(input.partition()),
                        taken.log(),
                        reader,
                        loop.brokers(),
                        loop.clock(),
                        life::leavesOut);
            }
            case RUN -> startRunning(Objects.requireNonNull(recovery), Objects.requireNonNull(found));
            case DROP -> {
                consumer.pause(Set.of(input));
                drop();
            }
            case DISCARD -> Objects.requireNonNull(found).discard();
            case WAIT -> loop.waits(input, backoff.failed(Objects.requireNonNull(cause)), cause);
            case WAIT_LONG -> {
                var unused = backoff.failed(
                        Objects.requireNonNull(cause), loop.pace().quarantined());
                loop.quarantines(input, cause);
            }
            case TELL_RESET -> loop.listener().onReset(input.partition(), Objects.requireNonNull(cause));
            case TELL_QUARANTINED -> loop.listener().onQuarantined(input.partition(), Objects.requireNonNull(cause));
        }
    }

    private void startRunning(Recovery<I> recovered, TakeOver.Found taken) {
        PartitionTask<I> running = recovered.task();
        Map<String, Topic<?>> byName = new HashMap<>();
        for (Topic<?> companion : running.companions()) {
            byName.put(companion.name(), companion);
            reader.addCompanion(new TopicPartition(companion.name(), input.partition()), recovered.position(companion));
        }
        companions = byName;
        recovery = null;
        task = running;
        InputLog log = taken.log();
        // Behind the log's start there is nothing to read; the task was told where the log starts.
        delivered = Math.max(recovered.position(), log.first());
        position = delivered;
        newest = log.committed().isPresent()
                ? new Transaction(List.of(), log.committed().getAsLong(), log.note())
                : null;
        emptyBefore = taken.emptyBefore();
        consumer.seek(input, Math.max(delivered, taken.start()));
        consumer.resume(Set.of(input));
        backoff.succeeded(() -> loop.recovered(input));
    }

    private void run(
            PartitionTask<I> running,
            List<ConsumerRecord<byte[], ByteBuffer>> records,
            List<ConsumerRecord<byte[], ByteBuffer>> ofCompanions,
            long nowMillis) {
        boolean wasCommitting = committing != null;
        if (wasCommitting && !committed()) {
            return;
        }
        if (!life.writer() && !records.isEmpty()) {
            happened(new Event.WriterWanted(), null);
            return;
        }
        feed(running, records);
        for (ConsumerRecord<byte[], ByteBuffer> record : ofCompanions) {
            Topic<?> companion = companions.get(record.topic());
            if (companion != null && record.value() != null) {
                onCompanion(running, companion, record);
            }
        }
        running.onPoll(nowMillis);
        takeTransactions(running);
        if (wasCommitting && committing == null) {
            resume();
        }
    }

    private void feed(PartitionTask<I> running, List<ConsumerRecord<byte[], ByteBuffer>> records) {
        int partitions = Objects.requireNonNull(found).log().partitions();
        for (ConsumerRecord<byte[], ByteBuffer> record : records) {
            Place place = new Place(record.topic(), record.offset());
            try {
                if (life.leavesOut(place)) {
                    throw Records.crashed();
                }
                running.onRecord(Records.decode(topic, record, partitions));
            } catch (WireException e) {
                if (e.reason() == Reason.MISPLACED && !loop.logWatch().recent()) {
                    // Or the topic has got more partitions meanwhile: it is looked at before the record is blamed.
                    doubt(record.offset());
                    return;
                }
                running.onUnreadable(Records.quarantined(record, e), record.timestamp());
            } catch (InterruptException e) {
                throw e;
            } catch (Throwable e) {
                throw new CrashException(place, e);
            }
            delivered = record.offset() + 1;
        }
    }

    private void doubt(long offset) {
        doubting = true;
        consumer.pause(Set.of(input));
        consumer.seek(input, offset);
        loop.logWatch().soon();
    }

    private void onCompanion(PartitionTask<I> running, Topic<?> companion, ConsumerRecord<byte[], ByteBuffer> record) {
        Place place = new Place(record.topic(), record.offset());
        try {
            if (life.leavesOut(place)) {
                throw Records.crashed();
            }
            running.onCompanion(Records.decode(companion, record));
        } catch (WireException e) {
            AssignedReader.warnUnreadable(record, e);
        } catch (InterruptException e) {
            throw e;
        } catch (Throwable e) {
            throw new CrashException(place, e);
        }
    }

    /** Commits what is ready; one that takes long goes on while others have their rounds. */
    private void takeTransactions(PartitionTask<I> running) {
        for (Optional<Transaction> taken = running.takeTransaction();
                taken.isPresent();
                taken = running.takeTransaction()) {
            if (!life.writer()) {
                happened(new Event.WriterWanted(), null);
                return;
            }
            if (!commit(taken.get())) {
                return;
            }
        }
    }

    /** Returns whether it is through already. */
    private boolean commit(Transaction transaction) {
        // Markers and what was aborted take offsets too: the position is behind those that have been passed.
        long empty = transaction.nextInputOffset() == delivered ? Math.max(0, position() - delivered) : 0;
        Producer<byte[], byte[]> writer =
                Objects.requireNonNull(Objects.requireNonNull(found).writer());
        // The metadata is read here, after all callbacks have run and while the partition is ours. Whatever happens
        // later, the
        // partition's next owner fences this writer before it looks at anything.
        Commit commit = new Commit(writer, transaction, input, empty, consumer.groupMetadata(), loop.clock());
        committing = CompletableFuture.supplyAsync(commit::run, loop.helpers());
        newest = transaction;
        emptyBefore = transaction.nextInputOffset() + empty;
        try {
            var unused = loop.clock().await(committing, loop.patienceNanos());
        } catch (TimeoutException e) {
            consumer.pause(Set.of(input));
            reader.pauseCompanions(input.partition());
            return false;
        } catch (ExecutionException e) {
            // Told by what follows.
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
        return committed();
    }

    /** Looks whether the commit under way is through; throws what went wrong with it. */
    private boolean committed() {
        CompletableFuture<Duration> commit = Objects.requireNonNull(committing);
        if (!commit.isDone()) {
            return false;
        }
        Duration took = commit.join();
        committing = null;
        Transaction transaction = Objects.requireNonNull(newest);
        if (!renewing) {
            loop.listener().onCommitted(input.partition(), transaction.outputs().size(), took);
            Objects.requireNonNull(task).onCommitted();
        }
        renewing = false;
        return true;
    }

    /**
     * Commits once more what was committed when only markers have come since: without that, a log that is cut behind them would
     * look like one that lost records.
     */
    void renew() {
        Transaction last = newest;
        if (phase() == Phase.RUNNING
                && life.writer()
                && committing == null
                && last != null
                && last.nextInputOffset() == delivered
                && position() > emptyBefore) {
            renewing = true;
            var unused = commit(new Transaction(List.of(), delivered, last.note()));
        }
    }

    /** Never waits: while a position is being validated the old one will do, which only leaves markers to the next commit. */
    private long position() {
        try {
            position = consumer.position(input, Duration.ZERO);
        } catch (RetriableException e) {
            LOG.debug("{} is at {} or behind it", input, position, e);
        }
        return position;
    }

    private void resume() {
        if (!doubting && committing == null && phase() == Phase.RUNNING) {
            consumer.resume(Set.of(input));
            reader.resumeCompanions(input.partition());
        }
    }

    /** Whether a commit is under way that the process should wait for before it leaves. */
    boolean awaitCommit(long nanos) {
        CompletableFuture<Duration> commit = committing;
        if (commit == null) {
            return true;
        }
        try {
            var unused = loop.clock().await(commit, nanos);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }

    /** Throws task and producer away; a transaction that is open is aborted by the next producer's fence. */
    void drop() {
        if (takingOver != null) {
            takingOver.giveUp();
            takingOver = null;
        }
        if (recovery != null) {
            recovery.end();
            recovery = null;
        }
        PartitionTask<I> lost = task;
        if (lost != null) {
            LoopCommons.quietly(lost::onLost);
        }
        task = null;
        companions = Map.of();
        committing = null;
        renewing = false;
        doubting = false;
        reader.removeCompanions(input.partition());
        TakeOver.Found dropped = found;
        found = null;
        if (dropped != null) {
            dropped.discard();
        }
    }

    static Blast reach(Throwable failure) {
        return failure instanceof CrashException
                ? Blast.RECORD
                : KafkaFailure.of(failure).blast(Blast.PARTITION);
    }
}
