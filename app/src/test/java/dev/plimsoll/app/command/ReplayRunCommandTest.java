package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.replay.Manifest;
import dev.plimsoll.replay.ReplayFolder;
import dev.plimsoll.replay.format.placement.PlacementKind;
import dev.plimsoll.testkit.NpyBytes;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayRunCommandTest {
    private static final int WINDOWS = 10;
    private static final int SAMPLES = 2;
    private static final int LAYERS = 2;
    private static final int EXPERTS = 8;

    @TempDir
    Path directory;

    private Path load = Path.of("");
    private String out = "";
    private String err = "";

    @BeforeEach
    void writeAWorkload() {
        load = workload("load.npy", 1);
    }

    private Path workload(String name, long seed) {
        Random random = new Random(seed);
        long[] counts = new long[WINDOWS * SAMPLES * LAYERS * EXPERTS];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = (i % EXPERTS < 2 ? 900 : 100) + random.nextInt(50);
        }
        String shape = "(" + WINDOWS + ", " + SAMPLES + ", " + LAYERS + ", " + EXPERTS + ")";
        return NpyBytes.write(directory.resolve(name), NpyBytes.uint16(shape, counts));
    }

    private int run(String... arguments) {
        PrintStream outBefore = System.out;
        PrintStream errBefore = System.err;
        ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
        ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
        try {
            return Plimsoll.run(arguments);
        } finally {
            System.setOut(outBefore);
            System.setErr(errBefore);
            out = outBytes.toString(StandardCharsets.UTF_8);
            err = errBytes.toString(StandardCharsets.UTF_8);
        }
    }

    private String to(String name) {
        return directory.resolve(name).toString();
    }

    @Test
    void aWorkloadIsReplayedAndAllFilesAreWritten() throws Exception {
        int code = run("replay", "run", "--input", load.toString(), "--ranks", "4", "--output", "json", "-o", to("a"));

        assertThat(code).as(err).isZero();
        JsonNode printed = new ObjectMapper().readTree(out);
        assertThat(printed.path("runs")).hasSize(3);
        assertThat(printed.path("windows").asInt()).isEqualTo(WINDOWS);
        JsonNode result =
                new ObjectMapper().readTree(directory.resolve("a/result.json").toFile());
        assertThat(result.path("runs").get(0).path("meanBalancedness").asDouble())
                .isEqualTo(printed.path("runs").get(0).path("meanBalancedness").asDouble())
                .isGreaterThan(
                        printed.path("runs").get(2).path("meanBalancedness").asDouble());
        assertThat(result.path("provenance").path("command").asText())
                .isEqualTo("plimsoll replay run --input " + load
                        + " --policy plimsoll --policy deepseek --policy static --grid ranks=4");
        assertThat(err).as("what a reader of the numbers must know").contains("note: ");
        assertThat(directory.resolve("a/report.html")).isNotEmptyFile();
        assertThat(directory.resolve("a/timing.json")).isNotEmptyFile();
        assertThat(directory.resolve("a/.unfinished")).doesNotExist();
    }

    @Test
    void aManifestGivesTheSameBytesAgainWhateverTheThreads() throws Exception {
        run("replay", "run", "--input", load.toString(), "--ranks", "4", "--grid", "redundancy=0,4", "-o", to("a"));

        int code = run("replay", "run", "--manifest", to("a/manifest.json"), "--threads", "1", "-o", to("b"));

        assertThat(code).as(err).isZero();
        for (String file : new String[] {"result.json", "manifest.json", "report.html"}) {
            assertThat(directory.resolve("b").resolve(file))
                    .hasSameBinaryContentAs(directory.resolve("a").resolve(file));
        }
    }

    @Test
    void anInterruptedReplayWhoseInputHasChangedBeginsAnew() throws Exception {
        run("replay", "run", "--input", load.toString(), "--ranks", "4", "--policy", "static", "-o", to("a"));
        Manifest before = Manifest.read(directory.resolve("a/manifest.json"));
        try (ReplayFolder interrupted = new ReplayFolder(directory.resolve("b"))) {
            interrupted.begin(before.request(), before);
        }
        workload("load.npy", 2);

        int code =
                run("replay", "run", "--input", load.toString(), "--ranks", "4", "--policy", "static", "-o", to("b"));

        assertThat(code).as(err).isZero();
        assertThat(err)
                .contains(load + " is not what it was")
                .contains("begins anew")
                .doesNotContain("going on");
        assertThat(Manifest.read(directory.resolve("b/manifest.json")).inputs()).isNotEqualTo(before.inputs());
    }

    @Test
    void nothingThatAManifestSaysIsIgnoredBesideIt() {
        run("replay", "run", "--input", load.toString(), "--ranks", "4", "--policy", "static", "-o", to("a"));

        for (String option : new String[] {
            "--format=npy-workload",
            "--experts=8",
            "--top-k=2",
            "--layer-ids=0,1",
            "--map=start",
            "--from-samples",
            "--step-time=20ms",
            "--hidden-layers=4"
        }) {
            assertThat(run("replay", "run", "--manifest", to("a/manifest.json"), option, "-o", to("b")))
                    .as(option)
                    .isEqualTo(2);
            assertThat(err).as(option).contains("--manifest");
        }
        assertThat(directory.resolve("b")).doesNotExist();
    }

    @Test
    void runsAreCountedWithThePoliciesThatAreTakenWhereNoneIsNamed() {
        assertThat(run(
                        "replay",
                        "run",
                        "--input",
                        load.toString(),
                        "--grid",
                        "redundancy=0,4,8,12,16,20,24,28,32,36,40,44",
                        "--grid",
                        "ranks=4,2",
                        "-o",
                        to("a")))
                .isEqualTo(2);
        assertThat(err).contains("these are 72 runs");
        assertThat(run(
                        "replay",
                        "run",
                        "--input",
                        load.toString(),
                        "--ranks=4",
                        "--policy=static",
                        "--grid",
                        "redundancy=0,0,4",
                        "--output=json",
                        "-o",
                        to("a")))
                .as(err)
                .isZero();
        assertThat(out.split("\"policy\"", -1)).hasSize(3);
    }

    @Test
    void aPlacementThatCannotBeWrittenIsRefusedBeforeTheReplay() {
        String[] replay = {"replay", "run", "--input", load.toString(), "--ranks=4", "--policy=static", "-o", to("a")};

        assertThat(run(with(replay, "--write-placement=sglang:" + to("none/p.json"), "--placement-of=deepseek")))
                .isEqualTo(2);
        assertThat(err)
                .contains(to("none") + " is no directory that can be written to")
                .contains("--placement-of deepseek: choose one of static");
        assertThat(run(with(replay, "--write-placement=sglang:" + to("p.json"))))
                .isEqualTo(1);
        assertThat(err).contains("--hidden-layers");
        assertThat(directory.resolve("a")).doesNotExist();
    }

    private static String[] with(String[] arguments, String... more) {
        return Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void theHelpNamesEveryKindOfPlacementFile() {
        assertThat(run("replay", "run", "--help")).isZero();
        assertThat(out.replaceAll("\\s+", " ")).contains(String.join(", ", PlacementKind.words()));
    }

    @Test
    void aManifestIsRefusedWhenItsInputIsNotWhatItWas() {
        run("replay", "run", "--input", load.toString(), "--ranks", "4", "-o", to("a"));
        workload("load.npy", 2);

        int code = run("replay", "run", "--manifest", to("a/manifest.json"), "-o", to("b"));

        assertThat(code).isEqualTo(1);
        assertThat(err).contains(load + " is not what it was").doesNotContain("\tat ");
        assertThat(directory.resolve("b/result.json")).doesNotExist();
    }

    @Test
    void resultsOfAnotherReplayAreLeftAlone() {
        run("replay", "run", "--input", load.toString(), "--ranks", "4", "--policy", "static", "-o", to("a"));

        int code =
                run("replay", "run", "--input", load.toString(), "--ranks", "2", "--policy", "static", "-o", to("a"));

        assertThat(code).isEqualTo(1);
        assertThat(err).contains("results of another replay").contains("--out");
    }

    @Test
    void thePlacementThatWasServedLastIsWritten() throws Exception {
        int code = run(
                "replay",
                "run",
                "--input",
                load.toString(),
                "--ranks",
                "4",
                "--layer-ids",
                "0,1",
                "--hidden-layers",
                "2",
                "--placement-of",
                "deepseek",
                "--write-placement",
                "sglang:" + to("placement.json"),
                "-o",
                to("a"));

        assertThat(code).as(err).isZero();
        JsonNode rows = new ObjectMapper()
                .readTree(directory.resolve("placement.json").toFile())
                .path("physical_to_logical_map");
        assertThat(rows).hasSize(LAYERS);
        assertThat(rows.get(0)).hasSize(12);
        assertThat(err).contains("placement of deepseek");
    }

    @Test
    void whatIsWrongWithOptionsIsSaidAtOnce() {
        int code = run(
                "replay",
                "run",
                "--policy",
                "better",
                "--policy",
                "plimsoll:gain=1",
                "--grid",
                "racks=1",
                "--window",
                "0");

        assertThat(code).isEqualTo(2);
        assertThat(err)
                .contains("name one past")
                .contains("no policy 'better'")
                .contains("minimum-gain=0.005")
                .contains("racks=1")
                .contains("--window must be at least 1");
    }

    @Test
    void whatAFileDoesNotSayIsAskedFor() {
        assertThat(run("replay", "run", "--input", load.toString(), "-o", to("a")))
                .isEqualTo(1);
        assertThat(err).contains("--ranks");
        assertThat(directory.resolve("a")).doesNotExist();
        assertThat(run(
                        "replay",
                        "run",
                        "--input",
                        load.toString(),
                        "--ranks",
                        "4",
                        "--grid",
                        "redundancy=3",
                        "-o",
                        to("a")))
                .isEqualTo(1);
        assertThat(err).contains("redundancy=3 these").contains("do not divide evenly");
    }

    @Test
    void aPlanTellsWhatThereIsAndWritesNothing() throws Exception {
        int code = run("replay", "plan", "--input", load.toString(), "--ranks", "4", "--output", "json");

        assertThat(code).as(err).isZero();
        JsonNode plan = new ObjectMapper().readTree(out);
        assertThat(plan.path("windows").asInt()).isEqualTo(WINDOWS);
        assertThat(plan.path("usable").asInt()).isEqualTo(WINDOWS);
        assertThat(plan.path("windowsPerSecond").asDouble()).isPositive();
        try (var files = Files.list(directory)) {
            assertThat(files).containsExactly(load);
        }
    }
}
