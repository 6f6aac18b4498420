package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BrokersTest {
    private static final TopicPartition ASKED = new TopicPartition("plimsoll.samples", 1);

    @TempDir
    Path directory;

    @Test
    void anOffsetThatIsLeftOutMeansToTryAgainAndNotThatNothingWasCommitted() {
        // given
        Map<TopicPartition, @Nullable OffsetAndMetadata> answer = new HashMap<>();

        // then
        assertThatThrownBy(() -> Brokers.committed(answer, ASKED))
                .hasMessageContaining("plimsoll.samples-1")
                .satisfies(failure -> assertThat(KafkaFailure.of(failure)).isEqualTo(KafkaFailure.RETRY));

        // when
        answer.put(ASKED, null);

        // then
        assertThat(Brokers.committed(answer, ASKED)).isNull();
    }

    @Test
    void brokersSayWhenAGroupHasNeverCommitted() throws Exception {
        try (TestBroker broker = new TestBroker(directory)) {
            try (TopicAdmin topics = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
                topics.create(2, 1);
                Chain.await(() -> topics.missing().isEmpty());
            }
            TopicPartition input = new TopicPartition(Topic.SAMPLES.name(), 1);
            try (Brokers brokers = new AdminBrokers(broker.client(), "never")) {
                assertThat(Brokers.wait(brokers.committed(input), LoopClock.SYSTEM))
                        .containsOnlyKeys(input);
                assertThat(Brokers.committed(Brokers.wait(brokers.committed(input), LoopClock.SYSTEM), input))
                        .isNull();
            }
        }
    }
}
