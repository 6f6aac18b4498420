package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a loop has open and its partitions share, and what they have to tell. Opened in the caller's hands, used and closed by the
 * loop's thread.
 */
final class LoopCommons<I> {
    /** What a loop is to do, and with what. */
    record Order<I>(
            String role,
            Topic<I> input,
            IntFunction<PartitionTask<I>> tasks,
            PartitionLoop.Listener listener,
            Pace pace) {}

    // Says what loops say, so it says so in the loop's name.
    private static final Logger LOG = LoggerFactory.getLogger(PartitionLoop.class);
    /** How long a round waits for commits before it leaves them to their helpers: most are through by then. */
    private static final long PATIENCE_NANOS = Duration.ofMillis(200).toNanos();

    private final Order<I> order;
    private final LoopClients clients;
    private final LoopClock clock;
    private final ExecutorService helpers;
    private final Consumer<byte[], ByteBuffer> consumer;
    private final AssignedReader reader;
    private final Brokers brokers;
    private final LogWatch logWatch;
    private long patienceUntilNanos;

    /**
     * @param helpers run what waits for brokers, side by side; ended with the loop
     * @throws KafkaSetupException when the clients' settings are no good; nothing is open then
     */
    LoopCommons(Order<I> order, LoopClients clients, LoopClock clock, ExecutorService helpers) {
        this.order = order;
        this.clients = clients;
        this.clock = clock;
        this.helpers = helpers;
        consumer = clients.member();
        try {
            reader = new AssignedReader(clients.reader(), clock);
            brokers = clients.brokers();
        } catch (RuntimeException e) {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
            throw e;
        }
        logWatch = new LogWatch(brokers, order.input().name(), order.pace().logLook(), clock);
    }

    String role() {
        return order.role();
    }

    Topic<I> input() {
        return order.input();
    }

    PartitionLoop.Listener listener() {
        return order.listener();
    }

    Pace pace() {
        return order.pace();
    }

    LoopClock clock() {
        return clock;
    }

    ExecutorService helpers() {
        return helpers;
    }

    Consumer<byte[], ByteBuffer> consumer() {
        return consumer;
    }

    AssignedReader reader() {
        return reader;
    }

    Brokers brokers() {
        return brokers;
    }

    LogWatch logWatch() {
        return logWatch;
    }

    PartitionTask<I> newTask(int partition) {
        return order.tasks().apply(partition);
    }

    TakeOver takeOver(TopicPartition partition, boolean mustFence) {
        return new TakeOver(helpers, partition, mustFence, brokers, clock, () -> clients.writer(partition.partition()));
    }

    /** A round begins. */
    void beginRound() {
        patienceUntilNanos = clock.nanoTime() + PATIENCE_NANOS;
    }

    /** How long a partition may still wait for its commit in this round. */
    long patienceNanos() {
        return Math.max(TimeUnit.MILLISECONDS.toNanos(1), patienceUntilNanos - clock.nanoTime());
    }

    /** Closes everything but the member, quietly: nobody would know what to do about it. */
    void close() {
        quietly(helpers::shutdownNow);
        quietly(reader::close);
        quietly(brokers::close);
    }

    static void quietly(Runnable close) {
        try {
            close.run();
        } catch (RuntimeException e) {
            LOG.debug("closing", e);
        }
    }

    // What partitions have to tell.

    void recovered(TopicPartition partition) {
        LOG.info("{} has recovered {}", role(), partition);
    }

    void logChanged(TopicPartition partition, Throwable change) {
        LOG.warn("{} recovers {}: {}", role(), partition, change.getMessage());
    }

    void waits(TopicPartition partition, boolean news, Throwable cause) {
        if (news) {
            LOG.warn(
                    "{} recovers {} and keeps trying: {}",
                    role(),
                    partition,
                    KafkaFailure.describe(cause),
                    stackOfBug(cause));
        }
    }

    void quarantines(TopicPartition partition, Throwable cause) {
        LOG.error(
                "{} leaves {} alone and tries again every {}, others go on: {}",
                role(),
                partition,
                pace().quarantined(),
                KafkaFailure.describe(cause),
                stackOfBug(cause));
    }

    /** The stack is of use where the error is ours; a cluster's errors are told by their message. */
    static @Nullable Throwable stackOfBug(Throwable failure) {
        return failure instanceof KafkaException || failure instanceof RefusedException ? null : failure;
    }
}
