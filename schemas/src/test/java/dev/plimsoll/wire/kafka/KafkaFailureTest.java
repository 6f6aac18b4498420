package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.wire.life.Blast;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionAbortableException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnknownProducerIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnstableOffsetCommitException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every class of errors that clients are known to throw, and what it leads to. */
final class KafkaFailureTest {
    static Stream<Throwable> retried() {
        return Stream.of(
                new TimeoutException("t"),
                new DisconnectException("t"),
                new UnstableOffsetCommitException("t"),
                new CoordinatorNotAvailableException("t"),
                new NotLeaderOrFollowerException("t"),
                new UnknownTopicOrPartitionException("t"));
    }

    static Stream<Throwable> reset() {
        return Stream.of(
                new CommitFailedException("t"),
                new RebalanceInProgressException("t"),
                new StaleMemberEpochException("t"),
                new TransactionAbortableException("t"),
                new ProducerFencedException("t"),
                new InvalidProducerEpochException("t"),
                new InvalidPidMappingException("t"),
                new UnknownProducerIdException("t"),
                new OutOfOrderSequenceException("t"),
                new OffsetOutOfRangeException(Map.of(new TopicPartition("t", 0), 1L)),
                new KafkaException("in an error state", new ProducerFencedException("t")),
                new KafkaException("in an error state", new TimeoutException("t")),
                new KafkaException("anything"),
                new IllegalStateException("a task's own"),
                new NullPointerException());
    }

    static Stream<Throwable> fatal() {
        return Stream.of(
                new SaslAuthenticationException("t"),
                new TopicAuthorizationException("t"),
                new ClusterAuthorizationException("t"),
                new TransactionalIdAuthorizationException("t"),
                new UnsupportedVersionException("t"),
                new InvalidConfigurationException("t"),
                new ConfigException("t"),
                new FencedInstanceIdException("t"),
                new KafkaException("in an error state", new TransactionalIdAuthorizationException("t")));
    }

    static Stream<Throwable> refused() {
        return Stream.of(
                new RecordTooLargeException("t"),
                new KafkaException("in an error state", new RecordTooLargeException("t")),
                new UnreadableStateException("t", new IllegalStateException("t")),
                new RefusedException("t"),
                new OutOfMemoryError("t"),
                new StackOverflowError("t"),
                new NoClassDefFoundError("t"));
    }

    @ParameterizedTest
    @MethodSource
    void retried(Throwable failure) {
        assertThat(KafkaFailure.of(failure)).isEqualTo(KafkaFailure.RETRY);
    }

    @ParameterizedTest
    @MethodSource
    void reset(Throwable failure) {
        assertThat(KafkaFailure.of(failure)).isEqualTo(KafkaFailure.RESET);
    }

    @ParameterizedTest
    @MethodSource
    void fatal(Throwable failure) {
        assertThat(KafkaFailure.of(failure)).isEqualTo(KafkaFailure.FATAL);
    }

    @ParameterizedTest
    @MethodSource
    void refused(Throwable failure) {
        assertThat(KafkaFailure.of(failure)).isEqualTo(KafkaFailure.REFUSED);
    }

    @ParameterizedTest
    @MethodSource("fatal")
    void whatIsFatalReachesTheProcessWhereverItIsMet(Throwable failure) {
        for (Blast work : Blast.values()) {
            assertThat(KafkaFailure.of(failure).blast(work)).isEqualTo(Blast.PROCESS);
        }
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatIsRefusedReachesNoFurtherThanItsPartition(Throwable failure) {
        assertThat(KafkaFailure.of(failure).blast(Blast.PARTITION)).isEqualTo(Blast.PARTITION);
        assertThat(KafkaFailure.of(failure).blast(Blast.MEMBER))
                .as("in the midst of polling")
                .isEqualTo(Blast.PROCESS);
    }

    @ParameterizedTest
    @MethodSource({"retried", "reset"})
    void everythingElseReachesAsFarAsTheWorkThatFailed(Throwable failure) {
        for (Blast work : Blast.values()) {
            assertThat(KafkaFailure.of(failure).blast(work)).isEqualTo(work);
        }
    }
}
