package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;

/** The system as operators run it: every role a process of its own, some of them killed again and again. */
class SeparateProcessesTest {
    private static final String INCARNATION = "1";
    private static final int LAYERS = 26;
    private static final int KILLS = 3;
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String[] ENGINE = {
        "--model",
        "deepseek-v2-lite",
        "--ranks",
        "4",
        "--nodes",
        "2",
        "--steps-per-second",
        "100",
        "--tokens-per-step",
        "32",
        "--window",
        "128",
        "--boundary",
        "16",
        "--incarnation",
        INCARNATION
    };

    @TempDir
    Path directory;

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final List<WindowSummary> seen = new CopyOnWriteArrayList<>();
    private final List<PlanCommand> plan = new CopyOnWriteArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    @Test
    void theLoopGoesOnWhenAggregatorAndPlannerAreKilledAndNoWindowIsLostOrTwice() throws Exception {
        KafkaSettings kafka = KafkaSettings.of(broker());
        try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
            admin.create(4, 1);
        }
        Path shared = shared();
        follow(kafka);
        List<RoleProcess> ranks = List.of(
                start(with(ENGINE, "ranks", "--process", "0/2", "--ring-dir", shared.toString())),
                start(with(ENGINE, "ranks", "--process", "1/2", "--ring-dir", shared.toString())));
        start("collector", "--bootstrap-servers", kafka.bootstrapServers(), "--ring-dir", shared.toString());
        start("worker", "--bootstrap-servers", kafka.bootstrapServers(), "--ring-dir", shared.toString());
        RoleProcess aggregator = start("aggregator", "--bootstrap-servers", kafka.bootstrapServers());
        RoleProcess planner = start("planner", "--bootstrap-servers", kafka.bootstrapServers());
        await("the first windows").atMost(SOON).until(() -> seen.size() >= 2 && terms() >= 1);

        for (int kill = 1; kill <= KILLS; kill++) {
            int windowsBefore = seen.size();
            long termsBefore = terms();
            aggregator.kill();
            planner.kill();
            aggregator = start("aggregator", "--bootstrap-servers", kafka.bootstrapServers());
            planner = start("planner", "--bootstrap-servers", kafka.bootstrapServers());
            await("windows after kill " + kill).atMost(SOON).until(() -> seen.size() > windowsBefore + 1);
            await("a new term after kill " + kill).atMost(SOON).until(() -> terms() > termsBefore);
        }
        await("a settled decision").atMost(SOON).until(() -> settled() >= 1);
        int windowsAtSettlement = seen.size();
        await("windows after that").atMost(SOON).until(() -> seen.size() > windowsAtSettlement + 1);

        for (RoleProcess rank : ranks) {
            assertThat(rank.alive())
                    .as("ranks outlive everybody: %s", rank.err())
                    .isTrue();
        }
        assertThat(ranks.get(0).stop()).as("stops within 10 s").isTrue();
        assertThat(ranks.get(1).stop()).as("stops within 10 s").isTrue();
        for (RoleProcess rank : ranks) {
            JsonNode totals = new ObjectMapper().readTree(rank.out());
            assertThat(totals.get("misrouted").asLong()).isZero();
            assertThat(totals.get("tokens").asLong()).isPositive();
        }
        assertWindowsFormAChain(kafka);
        assertDecisionsOfAllPlannersAreReproduced(kafka);
    }

    /** Whoever took over wrote down what it had, be it less than its predecessor. */
    private void assertDecisionsOfAllPlannersAreReproduced(KafkaSettings kafka) throws Exception {
        try (RoleProcess verify = RoleProcess.start(
                directory,
                "replay",
                "verify",
                "--bootstrap-servers",
                kafka.bootstrapServers(),
                "--deployment",
                "demo/decode-0",
                "--output",
                "json")) {
            assertThat(verify.exitCode(SOON)).as(verify.out() + verify.err()).isZero();
            JsonNode report = new ObjectMapper().readTree(verify.out());
            assertThat(report.get("reproduced").asInt()).as(verify.out()).isPositive();
            assertThat(report.get("different").asInt()).isZero();
            assertThat(report.get("unchecked").asInt()).isZero();
        }
    }

    private void assertWindowsFormAChain(KafkaSettings kafka) {
        List<WindowSummary> chain = new ArrayList<>(read(kafka, Topic.WINDOW_SUMMARIES));
        chain.sort(Comparator.comparingLong(WindowSummary::closingOffset).thenComparingLong(WindowSummary::index));
        Map<Long, Set<String>> parts = new HashMap<>();
        for (LoadWindow window : read(kafka, Topic.WINDOWS)) {
            assertThat(parts.computeIfAbsent(window.index(), index -> new HashSet<>())
                            .add(window.layer() + "/" + window.segment() + "/" + window.firstSlot()))
                    .as("window %d layer %d segment %d only once", window.index(), window.layer(), window.segment())
                    .isTrue();
        }
        for (int i = 0; i < chain.size(); i++) {
            WindowSummary window = chain.get(i);
            assertThat(window.index()).as("no gap, no duplicate").isEqualTo(i);
            assertThat(window.previousIndex()).isEqualTo(i - 1L);
            assertThat(window.conservation())
                    .as("window %d: tokens computed = routed × top-k", i)
                    .matches(it -> it.equals(Conservation.YES) || (!window.complete() && !it.violated()));
            assertThat(parts.getOrDefault(window.index(), Set.of()))
                    .as("window %d has a record per layer and state", i)
                    .hasSize(LAYERS * window.states().size());
            boolean last = i == chain.size() - 1;
            assertThat(window.complete() || last)
                    .as("window %d is %s: only the end may cut one", i, window.reason())
                    .isTrue();
        }
        assertThat(parts.keySet()).hasSize(chain.size());
    }

    private String broker() {
        RoleProcess broker = start(
                "broker", "--port", "0", "--data", directory.resolve("kafka").toString());
        await("the broker").atMost(SOON).until(() -> broker.out().contains("ready at"));
        return broker.out().replaceAll("(?s).*ready at ([0-9.:]+),.*", "$1");
    }

    private Path shared() {
        SharedDirectory shared = SharedDirectory.temporary();
        opened.addLast(shared);
        return shared.path();
    }

    private void follow(KafkaSettings kafka) {
        Disposable windows = TopicReader.records(
                        kafka, Topic.WINDOW_SUMMARIES, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> seen.add(received.value()));
        Disposable commands = TopicReader.records(
                        kafka, Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> plan.add(received.value()));
        opened.push(windows::dispose);
        opened.push(commands::dispose);
    }

    private static <T> List<T> read(KafkaSettings kafka, Topic<T> topic) {
        return TopicReader.records(kafka, topic, new TopicReader.Start.Beginning(), unreadable -> {})
                .take(Duration.ofSeconds(5))
                .map(received -> received.value())
                .collectList()
                .blockOptional(SOON)
                .orElseThrow();
    }

    private long terms() {
        return plan.stream().filter(PlanCommand.Term.class::isInstance).count();
    }

    private long settled() {
        return plan.stream().filter(PlanCommand.Settled.class::isInstance).count();
    }

    private RoleProcess start(String... arguments) {
        RoleProcess process = RoleProcess.start(directory, arguments);
        opened.push(process);
        return process;
    }

    private static String[] with(String[] more, String... first) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }
}
