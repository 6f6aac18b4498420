package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The example engine of {@code python/examples}: four processes of PyTorch whose tokens travel over gloo, a broker, and all roles as
 * an operator would start them. The engine itself compares what every token came to, and every byte of every slot after each flip.
 */
@Timeout(300)
class PythonMovesTest {
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final Path PYTHON = Path.of("..", "python");
    private static final int RANKS = 4;
    // Of moe_engine.py: w13 of float32, w2 of float16 and scales of float64.
    private static final int EXPERT_BYTES = 2 * 4 * 8 * 4 + 8 * 4 * 2 + 4 * 8;
    private static final int SLOTS = 5;

    @TempDir
    Path directory;

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final List<PlanCommand> plan = new CopyOnWriteArrayList<>();

    private record Engine(Process process, Path out, Path err) {
        JsonNode told() throws Exception {
            assertThat(process.waitFor(60, TimeUnit.SECONDS))
                    .as("an engine that ends: %s", Files.readString(err))
                    .isTrue();
            assertThat(process.exitValue()).as(Files.readString(err)).isZero();
            return new ObjectMapper().readTree(out.toFile());
        }
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    @Test
    void expertsOfAPyTorchEngineFollowTheLoadAndNoTokenMeetsAnothersWeights() throws Exception {
        assumeTorch();
        String servers = broker();
        SharedDirectory shared = SharedDirectory.temporary();
        opened.addLast(shared);
        Path moved = Files.createDirectory(shared.path().resolve("moved"));
        Path own = Files.createDirectory(shared.path().resolve("own"));
        start(
                "collector",
                "--bootstrap-servers",
                servers,
                "--ring-dir",
                shared.path().toString());
        start("worker", "--bootstrap-servers", servers, "--ring-dir", moved.toString());
        start("worker", "--bootstrap-servers", servers, "--ring-dir", own.toString());
        start("aggregator", "--bootstrap-servers", servers);
        start("planner", "--bootstrap-servers", servers);

        movedByPlimsollUntilARankIsKilled(moved);
        movedByTheEngineItself(own);
    }

    private void movedByPlimsollUntilARankIsKilled(Path rings) throws Exception {
        membership(rings, "python/moved");
        List<Engine> engines = engines(rings, "python/moved");

        await("two decisions that settled").atMost(SOON).until(() -> settled("python/moved") >= 2 || anyEnded(engines));
        assertThat(anyEnded(engines)).as("%s", errors(engines)).isFalse();
        engines.get(RANKS - 1).process().destroyForcibly();

        List<JsonNode> told = new ArrayList<>();
        for (Engine survivor : engines.subList(0, RANKS - 1)) {
            told.add(survivor.told());
        }
        for (JsonNode one : told) {
            assertRight(one);
            assertThat(one.get("peers").asBoolean())
                    .as("it has seen that a rank is gone: %s", one)
                    .isFalse();
            assertThat(one.get("flips").asInt()).as("%s", one).isPositive();
        }
        // Who voted to flip when the rank died has to leave; the others serve on under one map.
        List<JsonNode> serving =
                told.stream().filter(one -> !one.get("left").asBoolean()).toList();
        assertThat(serving.stream().map(one -> one.get("map")).distinct()).hasSizeLessThanOrEqualTo(1);
        assertThat(errors(engines)).contains("group abandoned");
        assertThat(busiest(told, 0))
                .as("tokens of the busiest ranks, with moves and without")
                .isLessThan(busiest(told, 1));
    }

    private void movedByTheEngineItself(Path rings) throws Exception {
        membership(rings, "python/own", "--engine-moves");
        List<Engine> engines = engines(rings, "python/own", "--moves-weights");

        await("a decision that settled").atMost(SOON).until(() -> settled("python/own") >= 1 || anyEnded(engines));
        Files.createFile(rings.resolve("stop"));

        List<JsonNode> told = new ArrayList<>();
        for (Engine engine : engines) {
            told.add(engine.told());
        }
        for (JsonNode one : told) {
            assertRight(one);
            assertThat(one.get("moves").asInt()).as("%s", one).isPositive();
            assertThat(one.get("unserved").asLong()).isZero();
            assertThat(one.get("map")).isEqualTo(told.get(0).get("map"));
        }
    }

    private static void assertRight(JsonNode told) {
        assertThat(told.get("misrouted").asLong()).as("%s", told).isZero();
        assertThat(told.get("wrong_slots").asLong()).as("%s", told).isZero();
        assertThat(told.get("served").asLong()).as("%s", told).isPositive();
    }

    /** Over layers and stretches of steps, the tokens that the busiest rank got from those that were told of, in way 0 or 1. */
    private static long busiest(List<JsonNode> told, int way) {
        int stretches =
                told.stream().mapToInt(one -> one.get("sent").size()).min().orElseThrow();
        long sum = 0;
        for (int stretch = 0; stretch < stretches; stretch++) {
            JsonNode layers = told.get(0).get("sent").get(stretch).get(way);
            for (int layer = 0; layer < layers.size(); layer++) {
                long most = 0;
                for (int rank = 0; rank < RANKS; rank++) {
                    long tokens = 0;
                    for (JsonNode one : told) {
                        tokens += one.get("sent")
                                .get(stretch)
                                .get(way)
                                .get(layer)
                                .get(rank)
                                .asLong();
                    }
                    most = Math.max(most, tokens);
                }
                sum += most;
            }
        }
        return sum;
    }

    private long settled(String deployment) {
        return plan.stream()
                .filter(command -> command.header().deployment().id().equals(deployment))
                .filter(PlanCommand.Settled.class::isInstance)
                .count();
    }

    private static boolean anyEnded(List<Engine> engines) {
        return engines.stream().anyMatch(engine -> !engine.process().isAlive());
    }

    private static String errors(List<Engine> engines) throws IOException {
        StringBuilder all = new StringBuilder();
        for (Engine engine : engines) {
            all.append(Files.readString(engine.err()));
        }
        return all.toString();
    }

    private String broker() {
        RoleProcess broker = start(
                "broker", "--port", "0", "--data", directory.resolve("kafka").toString());
        await("the broker").atMost(SOON).until(() -> broker.out().contains("ready at"));
        String servers = broker.out().replaceAll("(?s).*ready at ([0-9.:]+),.*", "$1");
        KafkaSettings kafka = KafkaSettings.of(servers);
        try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
            admin.create(4, 1);
        }
        var reading = TopicReader.records(kafka, Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> plan.add(received.value()));
        opened.push(reading::dispose);
        return servers;
    }

    private void membership(Path rings, String deployment, String... more) {
        List<String> command = new ArrayList<>(List.of(
                "membership",
                "write",
                "--ring-dir=" + rings,
                "--deployment=" + deployment,
                "--incarnation=1",
                "--layers=3",
                "--experts=16",
                "--top-k=2",
                "--ranks=" + RANKS,
                "--slots-per-rank=" + SLOTS,
                "--boundary=8",
                "--window=64",
                "--gather=host",
                "--phase=decode",
                "--expert-bytes=" + EXPERT_BYTES,
                "--staging-bytes=" + 2 * SLOTS * EXPERT_BYTES));
        command.addAll(List.of(more));
        RoleProcess membership = start(command.toArray(String[]::new));
        await("the membership").atMost(SOON).until(() -> !membership.alive());
        assertThat(membership.err()).isEmpty();
    }

    private List<Engine> engines(Path rings, String deployment, String... more) throws IOException {
        List<Engine> engines = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            List<String> command = new ArrayList<>(List.of(
                    "/usr/bin/python3",
                    PYTHON.resolve("examples/moe_engine.py").toString(),
                    "--rank=" + rank,
                    "--directory=" + rings,
                    "--deployment=" + deployment,
                    "--stop-file=" + rings.resolve("stop")));
            command.addAll(List.of(more));
            Path out = directory.resolve(rings.getFileName() + "-" + rank + ".out");
            Path err = directory.resolve(rings.getFileName() + "-" + rank + ".err");
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
            builder.environment().put("PYTHONPATH", PYTHON.toString());
            builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
            builder.environment().put("PLIMSOLL_LIBRARY", PythonEnginesTest.library());
            Process process = builder.start();
            opened.push(process::destroyForcibly);
            engines.add(new Engine(process, out, err));
        }
        return engines;
    }

    private static void assumeTorch() throws InterruptedException {
        boolean there = false;
        try {
            Process process = new ProcessBuilder(
                            "/usr/bin/python3", "-c", "import torch.distributed as d; assert d.is_gloo_available()")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            there = process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            // there is no such program
        }
        if (!there) {
            System.out.println("NOTICE: the PyTorch example is not tested: /usr/bin/python3 has no torch with gloo");
        }
        assumeTrue(there, "no torch with gloo");
    }

    private RoleProcess start(String... arguments) {
        RoleProcess process = RoleProcess.start(directory, arguments);
        opened.push(process);
        return process;
    }
}
