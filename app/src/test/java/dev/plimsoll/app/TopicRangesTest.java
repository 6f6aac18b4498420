package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.replay.export.PastRun;
import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import dev.plimsoll.replay.source.TopicRanges;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class TopicRangesTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final long BEGIN = Instant.now().minus(Duration.ofDays(2)).toEpochMilli() / 60_000 * 60_000;

    @TempDir
    Path broker;

    @Test
    @Timeout(120)
    void marksOfTransactionsThatCameLaterCutNoWindowsOff() throws Exception {
        PastRun past = new PastRun(new Deployment("r1/decode-0"), BEGIN, 12, 5);
        List<Long> times = past.summaries.stream()
                .map(window -> window.timestampMillis())
                .sorted()
                .toList();
        try (EmbeddedBroker kafka = EmbeddedBroker.start(broker, 0)) {
            KafkaSettings settings = KafkaSettings.of(kafka.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(settings, SOON)) {
                admin.create(1, 1);
            }
            PastTopics.write(settings, past, true);

            try (PastRecords records = new PastRecords(settings, past.members.deployment(), SOON)) {
                TopicRanges ranges = TopicRanges.of(
                        records,
                        new Span(Optional.of(at(times.get(3))), Optional.of(at(times.get(9))), Optional.empty()));

                assertThat(timesRead(records, ranges)).containsExactlyElementsOf(times.subList(3, 9));
            }
        }
    }

    private static Edge at(long millis) {
        return new Edge.At(Instant.ofEpochMilli(millis));
    }

    private static TreeSet<Long> timesRead(PastRecords records, TopicRanges ranges) {
        TreeSet<Long> read = new TreeSet<>();
        try (PastRecords.Reading<LoadWindow> reading =
                records.read(Topic.WINDOWS, ranges.of(Topic.WINDOWS), unreadable -> {})) {
            for (Optional<Received<LoadWindow>> next = reading.next(); next.isPresent(); next = reading.next()) {
                read.add(next.orElseThrow().timestampMillis());
            }
        }
        return read;
    }
}
