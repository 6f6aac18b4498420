package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.export.PastRun;
import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import dev.plimsoll.replay.source.TopicHistory;
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
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class TopicRangesTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final long BEGIN = Instant.now().minus(Duration.ofDays(2)).toEpochMilli() / 60_000 * 60_000;

    private static final List<Topic<?>> READ = List.of(Topic.WINDOWS, Topic.WINDOW_SUMMARIES);

    private static final int PARTITIONS = 8;

    @TempDir
    static Path directory;

    private static EmbeddedBroker broker;
    private static KafkaSettings settings;
    /** Each test writes to a partition that no other uses, so that none finds what another has written. */
    private static int taken;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.start(directory, 0);
        settings = KafkaSettings.of(broker.bootstrapServers());
        try (TopicAdmin admin = new TopicAdmin(settings, SOON)) {
            admin.create(PARTITIONS, 1);
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static Deployment deployment() {
        return inPartition(taken++).findFirst().orElseThrow();
    }

    /** One in the same partition. */
    private static Deployment beside(Deployment other) {
        return inPartition(Topic.partition(other, PARTITIONS))
                .filter(deployment -> !deployment.equals(other))
                .findFirst()
                .orElseThrow();
    }

    private static Stream<Deployment> inPartition(int partition) {
        return IntStream.iterate(0, number -> number + 1)
                .mapToObj(number -> new Deployment("r1/decode-" + number))
                .filter(deployment -> Topic.partition(deployment, PARTITIONS) == partition);
    }

    @Test
    @Timeout(120)
    void marksOfTransactionsThatCameLaterCutNoWindowsOff() throws Exception {
        PastRun past = new PastRun(deployment(), BEGIN, 12, 5);
        List<Long> times = past.summaries.stream()
                .map(window -> window.timestampMillis())
                .sorted()
                .toList();
        PastTopics.write(settings, past, true);

        try (PastRecords records = new PastRecords(settings, past.members.deployment(), SOON)) {
            TopicRanges ranges = TopicRanges.of(
                    records,
                    READ,
                    new Span(Optional.of(at(times.get(3))), Optional.of(at(times.get(9))), Optional.empty()));

            assertThat(times(records, Topic.WINDOWS, ranges)).containsExactlyElementsOf(times.subList(3, 9));
        }
    }

    @Test
    @Timeout(120)
    void summariesOfWindowsThatHaveExpiredAndTopicsThatAreNotReadAreLeftAlone() throws Exception {
        PastRun past = new PastRun(deployment(), BEGIN, 12, 5);
        List<Long> times = past.summaries.stream()
                .map(window -> window.timestampMillis())
                .sorted()
                .toList();
        past.rows.removeIf(row -> row.timestampMillis() < times.get(4));
        PastTopics.write(settings, past, true);

        try (PastRecords records = new PastRecords(settings, past.members.deployment(), SOON)) {
            TopicRanges ranges = TopicRanges.of(
                    records, READ, new Span(Optional.of(at(times.get(1))), Optional.empty(), Optional.empty()));

            assertThat(ranges.byTopic()).containsOnlyKeys(READ);
            assertThat(times(records, Topic.WINDOW_SUMMARIES, ranges)).containsExactlyElementsOf(times.subList(4, 12));
        }
    }

    @Test
    @Timeout(120)
    void whatWasReadIsFoundAgainWhenAnotherIncarnationIsTheNewest() throws Exception {
        PastRun past = new PastRun(deployment(), BEGIN, 12, 5);
        PastRun later = new PastRun(
                past.members.deployment(), BEGIN + Duration.ofDays(1).toMillis(), 12, 6);
        // Its membership is gone from the compacted topic, as that of the later one has taken its place.
        PastTopics.write(settings, past, false);
        Map<String, String> inputs;
        try (TopicHistory history =
                TopicHistory.open(settings, past.members.deployment(), Span.ALL, OptionalLong.empty())) {
            inputs = history.inputs();
        }
        PastTopics.write(settings, later, true);

        try (TopicHistory history =
                TopicHistory.again(settings, past.members.deployment(), Span.ALL, OptionalLong.empty(), inputs)) {
            assertThat(history.members().incarnation()).isEqualTo(BEGIN);
            assertThat(history.inputs()).isEqualTo(inputs);
        }
    }

    @Test
    @Timeout(120)
    void decisionsOnWindowsThatAreLostAreAmongThoseThatHappened() throws Exception {
        int windows = 240;
        PastRun past = new PastRun(deployment(), BEGIN - Duration.ofDays(3).toMillis(), windows, 5);
        past.rows.removeIf(row -> row.value().index() > 0 && row.value().index() < windows - 2);
        PastTopics.write(settings, past, true);

        try (TopicHistory history =
                TopicHistory.open(settings, past.members.deployment(), Span.ALL, OptionalLong.empty())) {
            while (history.next().isPresent()) {}

            assertThat(history.live().orElseThrow().decisions()).hasSize(windows / 3);
        }
    }

    @Test
    @Timeout(120)
    void aReplayBeginsWithWhatTheFirstUsableWindowWasServedUnder() throws Exception {
        PastRun past = new PastRun(deployment(), BEGIN, 12, 5);
        List<Long> times = past.summaries.stream()
                .map(window -> window.timestampMillis())
                .sorted()
                .toList();
        PastTopics.write(settings, past, true);

        // Every seventh is not complete.
        Span span = new Span(Optional.of(at(times.get(6))), Optional.empty(), Optional.empty());
        try (TopicHistory history =
                TopicHistory.open(settings, past.members.deployment(), span, OptionalLong.empty())) {
            assertThat(history.placement().version()).isEqualTo(2);
            assertThat(history.next().orElseThrow().facts().usable()).isFalse();
            assertThat(history.next().orElseThrow().facts().index()).isEqualTo(7);
            assertThat(history.notes()).noneMatch(note -> note.contains("initial placement"));
        }
        PastRun lost = new PastRun(beside(past.members.deployment()), BEGIN, 12, 5);
        lost.plan.clear();
        lost.placements.clear();
        PastTopics.write(settings, lost, true);
        try (TopicHistory history =
                TopicHistory.open(settings, lost.members.deployment(), span, OptionalLong.empty())) {
            assertThat(history.placement().version()).isZero();
            assertThat(history.notes()).anyMatch(note -> note.contains("initial placement"));
        }
    }

    private static Edge at(long millis) {
        return new Edge.At(Instant.ofEpochMilli(millis));
    }

    private static <T> TreeSet<Long> times(PastRecords records, Topic<T> topic, TopicRanges ranges) {
        TreeSet<Long> read = new TreeSet<>();
        try (PastRecords.Reading<T> reading = records.read(topic, ranges.of(topic), unreadable -> {})) {
            for (Optional<Received<T>> next = reading.next(); next.isPresent(); next = reading.next()) {
                read.add(next.orElseThrow().timestampMillis());
            }
        }
        return read;
    }
}
