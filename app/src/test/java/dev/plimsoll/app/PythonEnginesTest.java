package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.SampleRecord;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two engines in Python, each a process with tensors of its own, a collector and a worker on their node, and a broker: what
 * stands in the samples topic is, to the token, what plain Python counted beside the tensors.
 */
@Timeout(240)
class PythonEnginesTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Path NATIVE = Path.of("..", "native");
    // Of toy_moe.py.
    private static final int LAYERS = 3;
    private static final int SLOTS = 4;
    private static final int RANKS = 2;

    @TempDir
    Path directory;

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final List<SampleRecord> samples = new CopyOnWriteArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "node"})
    void samplesHoldEveryTokenThatTwoPythonEnginesCounted(String gather) throws Exception {
        String python = python();
        RoleProcess broker = start(
                "broker", "--port", "0", "--data", directory.resolve("kafka").toString());
        await("the broker").atMost(SOON).until(() -> broker.out().contains("ready at"));
        String servers = broker.out().replaceAll("(?s).*ready at ([0-9.:]+),.*", "$1");
        KafkaSettings kafka = KafkaSettings.of(servers);
        try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
            admin.create(4, 1);
        }
        var reading = TopicReader.records(kafka, Topic.SAMPLES, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> samples.add(received.value()));
        opened.push(reading::dispose);

        // One collector for the node; the deployment stands in a directory below the one that it is given.
        SharedDirectory shared = SharedDirectory.temporary();
        opened.addLast(shared);
        Path rings = Files.createDirectory(shared.path().resolve("toy"));
        start(
                "collector",
                "--bootstrap-servers",
                servers,
                "--ring-dir",
                shared.path().toString());
        start("worker", "--bootstrap-servers", servers, "--ring-dir", rings.toString());
        RoleProcess membership = start(
                "membership",
                "write",
                "--ring-dir=" + rings,
                "--deployment=toy/python",
                "--incarnation=3",
                "--layers=" + LAYERS,
                "--experts=" + RANKS * SLOTS,
                "--top-k=2",
                "--ranks=" + RANKS,
                "--slots-per-rank=" + SLOTS,
                "--boundary=4",
                "--window=40",
                "--gather=" + (gather.equals("none") ? "none" : "host"),
                "--phase=decode");
        await("the membership").atMost(SOON).until(() -> !membership.alive());
        assertThat(membership.err()).isEmpty();

        List<Process> engines = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            engines.add(engine(python, gather, rank, rings));
        }
        List<JsonNode> counted = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            assertThat(engines.get(rank).waitFor(120, TimeUnit.SECONDS)).isTrue();
            assertThat(engines.get(rank).exitValue())
                    .as(Files.readString(directory.resolve("engine-" + rank + ".err")))
                    .isZero();
            counted.add(new ObjectMapper()
                    .readTree(directory.resolve("engine-" + rank + ".out").toFile()));
        }
        for (int rank = 0; rank < RANKS; rank++) {
            int of = rank;
            JsonNode load = counted.get(rank).get("load");
            await("all that rank " + rank + " counted").atMost(SOON).untilAsserted(() -> {
                for (int cell = 0; cell < LAYERS * SLOTS; cell++) {
                    assertThat(sampled(of, cell / SLOTS, cell % SLOTS))
                            .as("rank %d, layer %d, slot %d", of, cell / SLOTS, cell % SLOTS)
                            .isEqualTo(load.get(cell).asLong());
                }
            });
        }
        assertConserved();
    }

    /** What the routers of all ranks have sent over the whole run is what all slots computed. */
    private void assertConserved() {
        List<LoadSample> all = samples.stream()
                .filter(LoadSample.class::isInstance)
                .map(LoadSample.class::cast)
                .toList();
        for (int layer = 0; layer < LAYERS; layer++) {
            long computed = 0;
            long routed = 0;
            for (LoadSample sample : all) {
                routed += sample.routed().at(layer);
                for (int slot = 0; slot < sample.ranks() * SLOTS; slot++) {
                    computed += sample.load(slot / SLOTS, layer, slot % SLOTS);
                }
            }
            assertThat(computed).as("layer %d", layer).isPositive().isEqualTo(routed);
        }
    }

    private long sampled(int rank, int layer, int slot) {
        long sum = 0;
        for (SampleRecord record : samples) {
            if (record instanceof LoadSample sample
                    && rank >= sample.firstRank()
                    && rank < sample.firstRank() + sample.ranks()
                    && layer >= sample.firstLayer()
                    && layer < sample.firstLayer() + sample.layers()) {
                sum += sample.load(rank - sample.firstRank(), layer - sample.firstLayer(), slot);
            }
        }
        return sum;
    }

    private Process engine(String python, String gather, int rank, Path rings) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                        python,
                        Path.of("../python/tests/toy_moe.py").toString(),
                        "--library=" + library(),
                        "--directory=" + rings,
                        "--rank=" + rank,
                        "--ranks=" + RANKS,
                        "--gather=" + gather,
                        "--steps=400",
                        "--counters=" + (rank == 0 ? "pass" : "layers"))
                .redirectOutput(directory.resolve("engine-" + rank + ".out").toFile())
                .redirectError(directory.resolve("engine-" + rank + ".err").toFile());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        Process process = builder.start();
        opened.push(process::destroyForcibly);
        return process;
    }

    /** The library that the build has made. */
    static String library() throws IOException {
        try (Stream<Path> files = Files.walk(NATIVE.resolve("target/classes"))) {
            return files.filter(file -> file.endsWith("libplimsoll.so"))
                    .findFirst()
                    .orElseThrow()
                    .toAbsolutePath()
                    .toString();
        }
    }

    private static String python() throws InterruptedException {
        for (String candidate : List.of("/usr/bin/python3", "python3")) {
            try {
                Process process = new ProcessBuilder(candidate, "-c", "import sys; assert sys.version_info >= (3, 9)")
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                if (process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0) {
                    return candidate;
                }
            } catch (IOException e) {
                // there is no such program: try the next
            }
        }
        System.out.println("NOTICE: engines in Python are not tested: there is no python3 of at least 3.9");
        assumeTrue(false, "no python3");
        throw new AssertionError();
    }

    private RoleProcess start(String... arguments) {
        RoleProcess process = RoleProcess.start(directory, arguments);
        opened.push(process);
        return process;
    }
}
