package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks from time to time whether the input topic is still the one that it was: a consumer goes on reading in the middle of a topic
 * that was deleted and made again, and sees a changed number of partitions minutes late. Owned by the loop's thread.
 */
final class LogWatch {
    private static final Logger LOG = LoggerFactory.getLogger(LogWatch.class);
    private static final Duration RECENT = Duration.ofSeconds(10);

    private final Brokers brokers;
    private final String topic;
    private final Duration every;
    private final LoopClock clock;
    private @Nullable KafkaFuture<TopicDescription> looking;
    private long beganNanos;
    /** At the beginning nobody knows whether the topic is there. */
    private boolean soon = true;

    private boolean doubted;
    private boolean answering;
    private boolean missing;
    private boolean answered;
    private long answeredNanos;

    LogWatch(Brokers brokers, String topic, Duration every, LoopClock clock) {
        this.brokers = brokers;
        this.topic = topic;
        this.every = every;
        this.clock = clock;
        this.beganNanos = clock.nanoTime();
    }

    /** Somebody has a doubt. */
    void soon() {
        soon = true;
        doubted = true;
    }

    /** Whether the topic was not there when it was last looked for. */
    boolean missing() {
        return missing;
    }

    /** Whether somebody's doubt has been answered within the last 10 s. A look before the doubt may have been too early. */
    boolean recent() {
        return answered && clock.nanoTime() - answeredNanos < RECENT.toNanos();
    }

    /** Goes on looking; returns what was seen, null while there is nothing new. */
    @Nullable
    TopicDescription look() {
        long now = clock.nanoTime();
        KafkaFuture<TopicDescription> asked = looking;
        if (asked == null) {
            if (soon || now - beganNanos > every.toNanos()) {
                soon = false;
                answering = doubted;
                doubted = false;
                beganNanos = now;
                looking = brokers.topic(topic);
            }
            return null;
        }
        if (!asked.isDone()) {
            return null;
        }
        looking = null;
        try {
            TopicDescription found = asked.get();
            if (missing) {
                LOG.warn("{} is there again", topic);
            }
            missing = false;
            if (answering) {
                answered = true;
                answeredNanos = now;
            }
            return found;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                if (!missing) {
                    LOG.error("{} is not there any more: nothing is read until it is made again", topic);
                }
                missing = true;
            }
            // Anything else: whether it has changed will be seen the next time.
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
