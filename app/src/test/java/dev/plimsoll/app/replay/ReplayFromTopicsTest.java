package dev.plimsoll.app.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.HistoryWindow;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import dev.plimsoll.replay.source.TopicHistory;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.RunWriter;
import dev.plimsoll.wire.kafka.StoredRecords;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
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
                if (!window.facts().usable()) {
                    // Ranks on a busy machine lose snapshots, and the window's summary says so.
                    assertThat(window.facts().completeness())
                            .as("%s", window.facts())
                            .isLessThan(1);
                    continue;
                }
                assertThat(window.load()).as("%s", window.facts()).isPresent();
                long load = 0;
                for (int layer = 0; layer < 26; layer++) {
                    for (int expert = 0; expert < 64; expert++) {
                        load += window.load().orElseThrow().at(layer, expert);
                    }
                }
                assertThat(load).isEqualTo(window.facts().load()).isPositive();
            }
            assertThat(windows.get(0).facts().firstStep()).isEqualTo(1);
            assertThat(windows.get(0).facts().lastStep()).isEqualTo(PastLoop.WINDOW_STEPS);
            PastWindow end = windows.get(windows.size() - 1).facts();
            assertThat(end.usable() || end.why().contains("INCARNATION"))
                    .as("only the end may cut one: %s", end)
                    .isTrue();
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

    /** Exit code and standard output of a command. */
    private record Ran(int code, String out) {
        JsonNode json() throws IOException {
            return new ObjectMapper().readTree(out);
        }
    }

    private static Ran run(String... arguments) {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--bootstrap-servers", broker.bootstrapServers()));
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            int code = Plimsoll.run(all.toArray(String[]::new));
            return new Ran(code, out.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(before);
        }
    }

    @Test
    void everyLiveDecisionOfBothIncarnationsIsReproduced() throws Exception {
        for (String incarnation : List.of("1", "2")) {
            Ran ran = run(
                    "replay",
                    "verify",
                    "--deployment",
                    PastLoop.DEPLOYMENT.id(),
                    "--incarnation",
                    incarnation,
                    "--output",
                    "json");

            JsonNode report = ran.json();
            assertThat(ran.code()).as(ran.out()).isZero();
            assertThat(report.get("holds").asBoolean()).isTrue();
            assertThat(report.get("reproduced").asInt()).as(ran.out()).isGreaterThanOrEqualTo(1);
            assertThat(report.get("different").asInt()).isZero();
            assertThat(report.get("unchecked").asInt()).isZero();
            assertThat(report.get("wouldDecide").get("NONE").asInt()).isZero();
            assertThat(report.get("inputs").properties()).hasSize(7);
            assertThat(report.at("/control/checked").asBoolean()).isTrue();
            assertThat(report.at("/control/faults")).isEmpty();
        }
    }

    @Test
    void whatOperatorsWereAnsweredIsHeldAgainstTheDecisionsWhereThereIsAControlLog() throws Exception {
        String[] verify = {"replay", "verify", "--only-decisions", "--deployment", PastLoop.DEPLOYMENT.id()};
        try (TopicAdmin topics = new TopicAdmin(kafka, Duration.ofSeconds(30));
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            Control asked = new Control(
                    PastLoop.DEPLOYMENT, "id-1", 0, "ann", "test", OptionalInt.empty(), new ControlAction.Abort(999));
            ControlAnswer answer = new ControlAnswer(
                    PastLoop.DEPLOYMENT, 2, "id-1", ControlAnswer.Verdict.DONE, "it stops", OptionalInt.of(999), 0);
            TopicWriter.writeTogether(
                    kafka,
                    "two-planners",
                    List.of(
                            Output.of(Topic.CONTROL, PastLoop.DEPLOYMENT, asked),
                            Output.of(Topic.CONTROL, PastLoop.DEPLOYMENT, answer),
                            Output.of(Topic.CONTROL, PastLoop.DEPLOYMENT, answer)),
                    Duration.ofSeconds(30));
            Ran wrong = run(verify);
            assertThat(wrong.code()).as(wrong.out()).isEqualTo(1);
            assertThat(wrong.out())
                    .contains("DIFFERENT by the control log: command id-1 is answered more than once")
                    .contains("which the plan log does not have")
                    .contains("2 faults of the control log: 1 commands of operators, 1 answered");

            admin.deleteTopics(List.of(Topic.CONTROL.name())).all().get();
            Ran absent = run(verify);
            assertThat(absent.code()).as(absent.out()).isZero();
            assertThat(absent.out())
                    .contains("the control log was not checked: the cluster has no plimsoll.control.v1");
            topics.create(4, 1);
        }
    }

    @Test
    void otherSettingsAreNamedAndAWrongOneIsRefusedBeforeAnythingIsRead() throws Exception {
        Ran other = run(
                "replay",
                "verify",
                "--deployment",
                PastLoop.DEPLOYMENT.id(),
                "--set",
                "minimum-gain=0.9",
                "--only-decisions");

        assertThat(other.code()).isEqualTo(1);
        assertThat(other.out()).contains("DIFFERENT, first by settings: minimum-gain is 5.0E-4 in the log, 0.9 here");
        assertThat(run("replay", "verify", "--deployment", "a", "--set", "mood=1")
                        .code())
                .isEqualTo(2);
        assertThat(run("replay", "verify", "--deployment", "a", "--last", "5m", "--from", "2026-11-29T17:00Z")
                        .code())
                .isEqualTo(2);
    }

    @Test
    void aPublishedRunIsDatedByItsPastAndRemovedWithoutTouchingAnotherTopic() throws Exception {
        List<WindowSummary> summaries = stored(Topic.WINDOW_SUMMARIES);
        List<LoadWindow> rows = stored(Topic.WINDOWS);
        List<PlanCommand> commands = stored(Topic.PLAN);
        List<Outcome> outcomes = stored(Topic.OUTCOMES);
        long longAgo = Instant.parse("2020-02-02T02:02:02Z").toEpochMilli();
        for (String run : List.of("a", "a-2")) {
            try (RunWriter writer = RunWriter.create(kafka, run)) {
                for (WindowSummary summary : summaries) {
                    writer.window(
                            rows.stream()
                                    .filter(row -> row.incarnation() == summary.incarnation()
                                            && row.index() == summary.index())
                                    .toList(),
                            summary);
                }
                commands.forEach(command -> writer.decision(command, longAgo));
                outcomes.forEach(outcome -> writer.outcome(outcome, longAgo));
                assertThat(writer.records())
                        .isEqualTo(summaries.size() + rows.size() + commands.size() + outcomes.size());
            }
        }
        assertThatThrownBy(() -> RunWriter.create(kafka, "a")).hasMessageContaining("already");
        assertThat(header("plimsoll.replay.a.plan.v1", longAgo, commands.size()))
                .isEqualTo("a");

        try (Admin admin =
                Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()))) {
            String odd = "plimsoll.replay.a.windows.v1.mine";
            admin.createTopics(List.of(new NewTopic(odd, 1, (short) 1))).all().get();
            Set<String> before = new TreeSet<>(admin.listTopics().names().get());
            Ran listed = run("replay", "rm", "a");

            assertThat(listed.code()).isZero();
            assertThat(listed.out())
                    .contains("plimsoll.replay.a.windows.v1", "--execute")
                    .doesNotContain("a-2");
            assertThat(admin.listTopics().names().get()).containsExactlyInAnyOrderElementsOf(before);
            assertThat(run("replay", "rm", "a", "--execute").code()).isZero();
            before.removeAll(Set.of(
                    "plimsoll.replay.a.windows.v1",
                    "plimsoll.replay.a.window-summaries.v1",
                    "plimsoll.replay.a.plan.v1",
                    "plimsoll.replay.a.outcomes.v1"));
            await("the topics are gone")
                    .atMost(Duration.ofSeconds(30))
                    .untilAsserted(() ->
                            assertThat(admin.listTopics().names().get()).containsExactlyInAnyOrderElementsOf(before));
            assertThat(run("replay", "rm", "a").code()).isEqualTo(1);
            for (String wrong : List.of("", "*", "a.windows", "A", "../a", "plimsoll")) {
                assertThat(run("replay", "rm", wrong, "--execute").code())
                        .as("'%s'", wrong)
                        .isIn(1, 2);
            }
            assertThat(admin.listTopics().names().get()).containsExactlyInAnyOrderElementsOf(before);
        }
    }

    private static <T> List<T> stored(Topic<T> topic) {
        List<T> values = new ArrayList<>();
        try (StoredRecords records = new StoredRecords(kafka, Duration.ofSeconds(15))) {
            records.each(topic, OptionalLong.empty(), record -> values.add(record.value()), unreadable -> {});
        }
        return values;
    }

    /** The run-id of a topic's records, which are so many and of that time. */
    private static String header(String topic, long millis, int records) {
        Set<String> headers = new TreeSet<>();
        int count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(topic, info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (count < records && System.nanoTime() < end) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    assertThat(record.timestamp()).isEqualTo(millis);
                    headers.add(new String(
                            record.headers().lastHeader(RunWriter.HEADER).value(), StandardCharsets.UTF_8));
                    count++;
                }
            }
        }
        assertThat(count).isEqualTo(records);
        return String.join(",", headers);
    }

    @Test
    void windowsMadeAgainFromSamplesAreTheWindowsThatWere() throws Exception {
        List<HistoryWindow> were;
        PolicyRun live;
        try (TopicHistory history = open(Span.ALL)) {
            were = windows(history);
            live = history.live().orElseThrow();
        }
        try (TopicHistory history = TopicHistory.ofSamples(
                kafka, PastLoop.DEPLOYMENT, Span.ALL, OptionalLong.empty(), PastLoop.WINDOW_STEPS)) {
            List<HistoryWindow> again = windows(history);

            assertThat(again)
                    .extracting(HistoryWindow::facts)
                    .isEqualTo(were.stream().map(HistoryWindow::facts).toList());
            for (int i = 0; i < were.size(); i++) {
                assertSameLoad(again.get(i), were.get(i));
            }
            assertThat(history.live().orElseThrow().served()).isEqualTo(live.served());
            assertThat(history.live().orElseThrow().decisions()).isEqualTo(live.decisions());
        }
    }

    private static void assertSameLoad(HistoryWindow again, HistoryWindow was) {
        assertThat(again.load().isPresent()).isEqualTo(was.load().isPresent());
        was.load().ifPresent(load -> {
            for (int layer = 0; layer < load.layers(); layer++) {
                for (int part = 0; part < load.samples(); part++) {
                    for (int expert = 0; expert < load.experts(); expert++) {
                        assertThat(again.load().orElseThrow().at(layer, part, expert))
                                .isEqualTo(load.at(layer, part, expert));
                    }
                }
            }
        });
    }

    @Test
    void windowsOfAnotherLengthHaveTheSameTokens() throws Exception {
        List<HistoryWindow> were;
        try (TopicHistory history = open(Span.ALL)) {
            were = windows(history);
        }
        for (int steps : new int[] {PastLoop.WINDOW_STEPS / 4, PastLoop.WINDOW_STEPS * 2}) {
            try (TopicHistory history =
                    TopicHistory.ofSamples(kafka, PastLoop.DEPLOYMENT, Span.ALL, OptionalLong.empty(), steps)) {
                List<HistoryWindow> again = windows(history);

                assertThat(history.members().windowSteps()).isEqualTo(steps);
                long before =
                        were.stream().mapToLong(window -> window.facts().load()).sum();
                long now = again.stream()
                        .mapToLong(window -> window.facts().load())
                        .sum();
                if (now < before) {
                    // On a busy machine snapshots are lost, and the sample behind them spans the end of a short window.
                    assertThat(history.notes()).anyMatch(note -> note.endsWith("UNATTRIBUTED"));
                } else if (steps < PastLoop.WINDOW_STEPS) {
                    assertThat(now).isEqualTo(before);
                }
                assertThat(again.stream()
                                .mapToInt(window -> window.facts().usable() ? steps : 0)
                                .sum())
                        .as("steps in usable windows of %d", steps)
                        .isGreaterThan(were.size() * PastLoop.WINDOW_STEPS / 2);
                assertThat(history.live().orElseThrow().decisions()).isNotEmpty();
            }
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
