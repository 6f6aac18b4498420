package dev.plimsoll.app.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.HistoryWindow;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import dev.plimsoll.replay.source.TopicHistory;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real run of two incarnations, and what the topics say of it afterwards. */
class ReplayFromTopicsTest {
    private static final int DECISIONS = 3;

    @TempDir
    static Path directory;

    private static EmbeddedBroker broker;
    private static KafkaSettings kafka;

    @BeforeAll
    static void aRunOfTwoIncarnations() {
        broker = EmbeddedBroker.start(directory, 0);
        kafka = KafkaSettings.of(broker.bootstrapServers());
        try (TopicAdmin topics = new TopicAdmin(kafka, Duration.ofSeconds(30))) {
            topics.create(4, 1);
        }
        PastLoop.run(kafka, 1, 1, PastLoop.eager());
        PastLoop.run(kafka, 2, DECISIONS, PastLoop.eager());
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static TopicHistory open(Span span) throws IOException {
        return TopicHistory.open(kafka, PastLoop.DEPLOYMENT, span, OptionalLong.empty());
    }

    private static List<HistoryWindow> windows(TopicHistory history) {
        List<HistoryWindow> windows = new ArrayList<>();
        for (Optional<HistoryWindow> next = history.next(); next.isPresent(); next = history.next()) {
            windows.add(next.orElseThrow());
        }
        return windows;
    }

    @Test
    void everyWindowOfTheNewestIncarnationIsThereWithTheLoadThatItsSummarySays() throws Exception {
        try (TopicHistory history = open(Span.ALL)) {
            List<HistoryWindow> windows = windows(history);

            assertThat(history.members().incarnation()).isEqualTo(2);
            assertThat(windows)
                    .extracting(window -> window.facts().index())
                    .containsExactlyElementsOf(
                            LongStream.range(0, windows.size()).boxed().toList());
            for (HistoryWindow window : windows.subList(0, windows.size() - 1)) {
                long load = 0;
                for (int layer = 0; layer < 26; layer++) {
                    for (int expert = 0; expert < 64; expert++) {
                        load += window.load().orElseThrow().at(layer, expert);
                    }
                }
                assertThat(load).isEqualTo(window.facts().load()).isPositive();
            }
            assertThat(windows.get(windows.size() - 1).facts().why())
                    .as("the end cuts the last one")
                    .contains("INCARNATION");
            assertThat(history.notes()).singleElement().asString().contains("other incarnations");
        }
    }

    @Test
    void whatHappenedIsARunOfItsOwnWithPromiseMeasureAndWithout() throws Exception {
        try (TopicHistory history = open(Span.ALL)) {
            windows(history);

            PolicyRun live = history.live().orElseThrow();

            assertThat(live.settings()).containsEntry("policy", "plimsoll").containsEntry("history", "6");
            List<MadeDecision> measured = live.decisions().stream()
                    .filter(decision -> Double.isFinite(decision.measured()))
                    .toList();
            assertThat(measured).hasSizeGreaterThanOrEqualTo(DECISIONS);
            for (MadeDecision decision : measured) {
                assertThat(decision.moves()).isPositive();
                assertThat(decision.bytes()).isEqualTo(decision.moves() * 4096L);
                assertThat(decision.reason()).startsWith("settled");
                assertThat(decision.predicted()).isBetween(0.5, 1.0);
                assertThat(decision.without()).isBetween(0.5, 1.0);
            }
            MadeDecision first = measured.get(0);
            assertThat(first.measured())
                    .as("the first decision pays, on the same tokens")
                    .isGreaterThan(first.without() + 0.02);
            assertThat(live.placements()).containsKey(first.windowIndex());
            assertThat(live.served().get(0).version()).isZero();
            assertThat(live.served().get(live.served().size() - 1).version()).isPositive();
        }
    }

    @Test
    void anOlderIncarnationIsFoundByItsNumber() throws Exception {
        try (TopicHistory history = TopicHistory.open(kafka, PastLoop.DEPLOYMENT, Span.ALL, OptionalLong.of(1))) {
            assertThat(history.members().incarnation()).isEqualTo(1);
            assertThat(windows(history)).isNotEmpty();
            assertThat(history.live().orElseThrow().decisions()).isNotEmpty();
        }
    }

    @Test
    void whatIsNotThereIsSaidByName() {
        assertThatThrownBy(() -> TopicHistory.open(kafka, PastLoop.DEPLOYMENT, Span.ALL, OptionalLong.of(9)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("incarnation 9")
                .hasMessageContaining("[1, 2]");
        assertThatThrownBy(() -> TopicHistory.open(kafka, new Deployment("nobody"), Span.ALL, OptionalLong.empty()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("nobody");
    }

    @Test
    void aStretchIsTheSameByTimeAndByOffsetAndWhatItIsServedUnderIsKnown() throws Exception {
        List<PastWindow> all;
        try (TopicHistory history = open(Span.ALL)) {
            all = windows(history).stream().map(HistoryWindow::facts).toList();
        }
        PastWindow from = all.get(all.size() - 5);
        PastWindow to = all.get(all.size() - 2);
        Edge begin = new Edge.At(Instant.ofEpochMilli(from.closedAtMillis()));
        Edge end = new Edge.At(Instant.ofEpochMilli(to.closedAtMillis()));
        Map<String, String> inputs;
        try (TopicHistory history = open(new Span(Optional.of(begin), Optional.of(end), Optional.empty()))) {
            inputs = history.inputs();
            assertThat(history.placement().version()).isPositive();
            assertThat(windows(history))
                    .extracting(HistoryWindow::facts)
                    .containsExactlyElementsOf(all.subList(all.size() - 5, all.size() - 2));
        }
        String offset = inputs.entrySet().stream()
                .filter(input -> input.getKey().startsWith("plimsoll.windows.v1-"))
                .map(input -> input.getValue().substring(0, input.getValue().indexOf('.')))
                .findFirst()
                .orElseThrow();
        Span byOffset = new Span(Optional.of(Edge.parse("offset:" + offset)), Optional.of(end), Optional.empty());
        try (TopicHistory history = open(byOffset)) {
            assertThat(history.inputs()).isEqualTo(inputs);
        }
        Span last = new Span(
                Optional.empty(),
                Optional.of(end),
                Optional.of(Duration.ofMillis(to.closedAtMillis() - from.closedAtMillis())));
        try (TopicHistory history = open(last)) {
            assertThat(history.inputs()).isEqualTo(inputs);
        }
    }

    @Test
    void nobodyJoinsAGroupAndNothingIsCommitted() throws Exception {
        try (Admin admin =
                Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()))) {
            Object before = committed(admin);
            try (TopicHistory history = open(Span.ALL)) {
                windows(history);
                assertThat(committed(admin)).isEqualTo(before);
            }
        }
    }

    @Test
    void everyLiveDecisionIsReproduced() throws Exception {
        for (String incarnation : List.of("1", "2")) {
            System.out.println(dev.plimsoll.app.Plimsoll.run(
                    "replay",
                    "verify",
                    "--bootstrap-servers",
                    broker.bootstrapServers(),
                    "--deployment",
                    "demo/decode-0",
                    "--incarnation",
                    incarnation));
        }
    }

    private static List<String> committed(Admin admin) throws Exception {
        List<String> committed = new ArrayList<>();
        for (var group : admin.listGroups().all().get()) {
            committed.add(group.groupId() + " "
                    + admin.listConsumerGroupOffsets(group.groupId())
                            .partitionsToOffsetAndMetadata()
                            .get());
        }
        committed.sort(null);
        return committed;
    }
}
