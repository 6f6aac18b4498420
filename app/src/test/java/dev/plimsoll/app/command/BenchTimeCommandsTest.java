package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.testkit.NpyBytes;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code bench planner} and {@code bench redundancy} by what experts take, on files that are made up. */
@Timeout(120)
class BenchTimeCommandsTest {
    @TempDir
    private Path directory;

    private final StringWriter err = new StringWriter();
    private StringWriter out = new StringWriter();
    private String trace = "";
    private String workload = "";

    @BeforeEach
    void writeFiles() throws Exception {
        trace = MadeUpTrace.write(directory.resolve("trace"), "gpt-oss-20b").toString();
        long[] values = new Random(7).longs(6 * 2 * 3 * 8, 0, 1000).toArray();
        workload = NpyBytes.write(directory.resolve("w.npy"), NpyBytes.uint16("(6, 2, 3, 8)", values))
                .toString();
    }

    private int run(String... arguments) {
        out = new StringWriter();
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        line.setOut(new PrintWriter(out, true));
        return line.execute(arguments);
    }

    private List<JsonNode> lines() throws Exception {
        List<JsonNode> found = new ArrayList<>();
        for (String line : out.toString().lines().toList()) {
            found.add(new ObjectMapper().readTree(line));
        }
        return found;
    }

    private int planner(String output, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "bench",
                "planner",
                "--trace",
                trace,
                "--tokens-per-step",
                "3,24",
                "--windows",
                "4",
                "--window",
                "16",
                "--device-profile",
                "h100",
                "--output",
                output));
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    @Test
    void aTraceGivesALineForEachNumberOfTokensAndWayToSpread() throws Exception {
        assertThat(planner("json", "--ranks", "2,4", "--redundant", "0,2,4", "--idle-slots"))
                .as(err.toString())
                .isZero();

        // 4 ranks and 2 redundant slots do not divide evenly, and 2 ranks are in others: it is left out.
        assertThat(lines().stream()
                        .map(line -> line.path("tokensPerStep").asText() + ": "
                                + line.path("ranks").asText() + "+"
                                + line.path("redundant").asText()))
                .containsExactly(
                        "3: 2+0", "3: 2+2", "3: 2+4", "3: 4+0", "3: 4+4", "24: 2+0", "24: 2+2", "24: 2+4", "24: 4+0",
                        "24: 4+4");
        JsonNode last = lines().get(9);
        assertThat(last.path("profile").asText()).isEqualTo("h100/gpt-oss-20b");
        assertThat(last.path("policies").findValuesAsText("policy"))
                .containsExactly(
                        "plimsoll",
                        "plimsoll-idle",
                        "plimsoll-tokens",
                        "deepseek",
                        "deepseek-hierarchical",
                        "swift",
                        "flashlb",
                        "static",
                        "random");
        for (JsonNode line : lines()) {
            for (JsonNode policy : line.path("policies")) {
                assertThat(policy.fieldNames())
                        .toIterable()
                        .startsWith("policy", "expertMicros", "bound", "balancedness", "activeExperts", "movedShare");
                assertThat(policy.path("expertMicros").fieldNames())
                        .toIterable()
                        .containsExactly("mean", "p50", "p99");
                assertThat(policy.path("expertMicros").path("mean").asDouble())
                        .isGreaterThanOrEqualTo(policy.path("bound").asDouble())
                        .isPositive();
                assertThat(policy.path("invalid").asInt()).isZero();
            }
        }
    }

    @Test
    void theSameIsPrintedWhateverTheThreadsAndFromAFileOfTheTrace() {
        assertThat(planner("json", "--ranks", "4")).as(err.toString()).isZero();
        String one = out.toString();
        trace = Path.of(trace, "trace.json").toString();
        assertThat(planner("json", "--ranks", "4", "--threads", "3")).isZero();

        assertThat(out.toString()).isEqualTo(one).isNotEmpty();
    }

    @Test
    void peopleGetATableForEachRunAndDocumentsOneForAll() {
        assertThat(planner("text", "--ranks", "4", "--policy", "plimsoll,static"))
                .isZero();
        assertThat(out.toString())
                .contains("gpt-oss-20b, 3 tokens a step, 4 ranks + 4 redundant slots on 1 node, h100/gpt-oss-20b, 3"
                        + " windows served; no placement below")
                .contains("plimsoll-tokens");

        assertThat(planner("markdown", "--ranks", "4", "--policy", "plimsoll,static", "--trace-order", "domains"))
                .isZero();
        assertThat(out.toString().lines()).hasSize(4).allMatch(line -> line.startsWith("|"));
    }

    @Test
    void aWorkloadIsScoredByTheTimeThatIsExpected() throws Exception {
        assertThat(run(
                        "bench",
                        "planner",
                        "--workload",
                        workload,
                        "--tokens-per-slot",
                        "4,256",
                        "--device-profile",
                        "h100/gpt-oss-20b",
                        "--ranks",
                        "4",
                        "--policy",
                        "plimsoll,static",
                        "--objective",
                        "time",
                        "--output",
                        "json"))
                .as(err.toString())
                .isZero();

        assertThat(lines().stream().map(line -> line.path("tokensPerSlot").asInt()))
                .containsExactly(4, 256);
        assertThat(lines().get(0).path("workload").asText()).isEqualTo("w.npy");
        for (JsonNode line : lines()) {
            assertThat(line.path("policies").findValuesAsText("policy")).containsExactly("plimsoll", "static");
            assertThat(line.path("policies").findValuesAsText("objective")).containsExactly("time", "tokens");
            JsonNode ours = line.path("policies").path(0);
            assertThat(ours.path("expertMicros").path("mean").asDouble())
                    .isBetween(
                            ours.path("bound").asDouble(),
                            line.path("policies")
                                    .path(1)
                                    .path("expertMicros")
                                    .path("mean")
                                    .asDouble());
        }
    }

    @Test
    void allThatIsWrongWithATraceIsReportedAtOnce() {
        assertThat(run(
                        "bench",
                        "planner",
                        "--trace",
                        trace,
                        "--workload",
                        workload,
                        "--tokens-per-slot",
                        "0",
                        "--ranks",
                        "3",
                        "--nodes",
                        "2",
                        "--windows",
                        "1",
                        "--window",
                        "0",
                        "--objective",
                        "tokens",
                        "--idle-slots",
                        "--layers",
                        "0..1",
                        "--replan-every",
                        "2",
                        "--tokens-per-step",
                        "0",
                        "--device-profile",
                        "toaster"))
                .isEqualTo(2);

        assertThat(err.toString())
                .contains("--workload and --trace are alternatives: leave one out")
                .contains("--tokens-per-slot must be 1 to 65536, not 0")
                .contains("--tokens-per-slot is for --workload only")
                .contains("--ranks 3 do not divide evenly over --nodes 2")
                .contains("--windows must be at least 2, not 1")
                .contains("--window must be 1 to 1048576, not 0")
                .contains("--idle-slots is for planning by time: leave out --objective tokens")
                .contains("--layers is for --workload only")
                .contains("--peers, --replan-every and --svg are not for --trace and --tokens-per-slot")
                .contains("--tokens-per-step must be 1 to 65536, not 0")
                .contains("toaster");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void whatTimeIsMeantHasToBeSaid() throws Exception {
        assertThat(run("bench", "planner", "--trace", trace)).isEqualTo(2);
        assertThat(err.toString())
                .contains("--device-profile is missing: name the device whose time is meant")
                .contains("--ranks is missing");
        assertThat(run("bench", "planner", "--workload", workload, "--ranks", "2", "--idle-slots"))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains("--device-profile, --objective and --idle-slots need --trace, or --tokens-per-slot");
        assertThat(run(
                        "bench",
                        "planner",
                        "--workload",
                        workload,
                        "--ranks",
                        "2",
                        "--tokens-per-slot",
                        "4",
                        "--device-profile",
                        "h100"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--device-profile must say whose experts are meant");
        assertThat(run("bench", "planner", "--trace", trace, "--ranks", "2", "--tokens-per-step", "65536"))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "--tokens-per-step 65536 in 5120 steps are more than 67108864 tokens: ask for fewer --windows");
        // As many as are served where nobody says how many.
        assertThat(run("bench", "planner", "--trace", trace, "--ranks", "2", "--window", "1048576"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--tokens-per-step 2048 in 20971520 steps are more than 67108864 tokens");
        trace = MadeUpTrace.write(directory.resolve("other"), "other").toString();
        assertThat(planner("text", "--ranks", "2")).isEqualTo(2);
        assertThat(err.toString()).contains("the size of an expert of model 'other' is not known");
    }

    @Test
    void redundancyOfATraceIsALineForEachNumberOfTokensWithItsKnee() throws Exception {
        assertThat(run(
                        "bench",
                        "redundancy",
                        "--trace",
                        trace,
                        "--tokens-per-step",
                        "3,200",
                        "--windows",
                        "4",
                        "--window",
                        "16",
                        "--device-profile",
                        "h100",
                        "--ranks",
                        "4",
                        "--redundant",
                        "8,0,4",
                        "--output",
                        "json"))
                .as(err.toString())
                .isZero();

        assertThat(lines()).hasSize(2);
        for (JsonNode line : lines()) {
            assertThat(line.path("redundancy").findValuesAsText("redundant")).containsExactly("0", "4", "8");
            assertThat(line.path("redundancy").findValuesAsText("knee")).isEmpty();
            assertThat(line.path("objective").asText()).isEqualTo("time");
            // 2 layers of an expert of gpt-oss-20b in 2, 3, 4 slots.
            assertThat(line.path("redundancy").findValuesAsText("weightBytesPerRank"))
                    .containsExactly("52876800", "79315200", "105753600");
        }
        // 3 tokens read weights, 200 keep some ranks computing for longer.
        assertThat(lines().get(0).path("knee").asInt()).isZero();
    }

    @Test
    void redundancyOfAWorkloadIsByTokensPerExpert() {
        String[] options = {
            "bench",
            "redundancy",
            "--workload",
            workload,
            "--tokens-per-expert",
            "4",
            "--device-profile",
            "h100/gpt-oss-20b",
            "--ranks",
            "4",
            "--idle-slots"
        };
        assertThat(run(options)).as(err.toString()).isZero();

        assertThat(out.toString())
                .contains(
                        "w.npy, 4 tokens an expert and step, 4 ranks, h100/gpt-oss-20b, plimsoll-idle by time with idle"
                                + " slots")
                .containsPattern("knee: \\d+ redundant slots, the fewest within 1 % of the best of these");
        // 2 to 6 slots a rank; 8 are as many as there are experts.
        assertThat(out.toString()
                        .lines()
                        .skip(2)
                        .limit(5)
                        .map(line -> line.strip().split(" +")[1]))
                .containsExactly("2", "3", "4", "5", "6");
    }

    @Test
    void allThatIsWrongWithRedundancyIsReportedAtOnce() {
        assertThat(run(
                        "bench",
                        "redundancy",
                        "--workload",
                        workload,
                        "--tokens-per-step",
                        "8",
                        "--ranks",
                        "4",
                        "--redundant",
                        "3,40",
                        "--policy",
                        "best",
                        "--within",
                        "-1",
                        "--expert-bytes",
                        "0",
                        "--threads",
                        "0",
                        "--history",
                        "0"))
                .isEqualTo(2);

        assertThat(err.toString())
                .contains("--tokens-per-step, --trace-order, --windows and --window are for --trace only")
                .contains("the model has 8 experts: with --redundant 3 these are 11 slots")
                .contains("each of --ranks 4 has 12 slots, more than there are experts")
                .contains("no policy 'best'")
                .contains("--within must be 0 to 1000, not -1")
                .contains("--expert-bytes must be at least 1, not 0")
                .contains("--threads must be 1 to 256, not 0")
                .contains("--history must be at least 1, not 0")
                .contains("--device-profile is missing");
        assertThat(run("bench", "redundancy", "--ranks", "4", "--device-profile", "h100/gpt-oss-20b"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--workload is missing; or give --trace");
    }
}
