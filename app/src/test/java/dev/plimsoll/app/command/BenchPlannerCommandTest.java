package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.testkit.NpyBytes;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Timeout(120)
class BenchPlannerCommandTest {
    private static final String PEERS = """
            {"scores": [
            {"workload": "a.npy", "ranks": 2, "redundant": 2, "nodes": 1, "policy": "still", "next": 0.5, "movedShare": 0, "windowsScored": 5},
            {"workload": "a.npy", "ranks": 4, "redundant": 0, "nodes": 2, "policy": "still", "next": 0.4, "movedShare": 0, "windowsScored": 3},
            {"workload": "b.npy.gz", "ranks": 2, "redundant": 2, "nodes": 1, "policy": "still", "next": 0.999, "movedShare": 0, "windowsScored": 5}]}
            """;

    @TempDir
    private Path directory;

    private StringWriter err = new StringWriter();
    private StringWriter out = new StringWriter();

    /** Two workloads of 6 windows × 2 samples × 3 layers × 8 experts. */
    @BeforeEach
    void writeWorkloads() {
        Random random = new Random(7);
        for (String name : List.of("a.npy", "b.npy.gz")) {
            long[] values = random.longs(6 * 2 * 3 * 8, 0, 1000)
                    .map(value -> value % 7 == 0 ? 10 * value : value)
                    .toArray();
            NpyBytes.write(directory.resolve(name), NpyBytes.uint16("(6, 2, 3, 8)", values));
        }
    }

    @Test
    void aWorkloadIsOneLineOfJsonWithExactlyTheseKeys() throws Exception {
        assertThat(run("--workload", file("a.npy"), "--ranks", "2", "--output", "json"))
                .as(err.toString())
                .isZero();

        assertThat(out.toString().lines()).hasSize(1);
        JsonNode root = new ObjectMapper().readTree(out.toString());
        assertThat(root.fieldNames())
                .toIterable()
                .containsExactly(
                        "workload", "ranks", "redundant", "nodes", "windowsScored", "policies", "arguments", "machine");
        assertThat(root.path("windowsScored").asInt()).isEqualTo(5);
        assertThat(root.path("redundant").asInt()).isEqualTo(2);
        assertThat(root.path("policies").findValuesAsText("policy")).isEqualTo(Policy.NAMES);
        for (JsonNode policy : root.path("policies")) {
            assertThat(policy.fieldNames())
                    .toIterable()
                    .containsExactly(
                            "policy",
                            "next",
                            "nextP05",
                            "inSample",
                            "movesFirst",
                            "movesSteady",
                            "movedShare",
                            "maxIntoRank",
                            "millisPerLayer",
                            "invalid");
            assertThat(policy.path("millisPerLayer").fieldNames()).toIterable().containsExactly("p50", "p99");
            assertThat(policy.path("next").asDouble()).isBetween(0.3, 1.0);
            assertThat(policy.path("invalid").asInt()).isZero();
        }
        // Places are fixed: zeros at the end stay.
        assertThat(out.toString()).contains("\"movedShare\":0.0000").contains("\"movesFirst\":0.00,");
    }

    @Test
    void ofADirectoryEveryWorkloadIsOneLine() throws Exception {
        assertThat(run("--workload", directory.toString(), "--ranks", "4", "--policy", "static", "--output", "json"))
                .as(err.toString())
                .isZero();

        assertThat(out.toString().lines().map(line -> line.substring(0, line.indexOf(','))))
                .containsExactly("{\"workload\":\"a.npy\"", "{\"workload\":\"b.npy.gz\"");
    }

    @Test
    void scoresDependOnArgumentsAloneAndNotOnThreads() throws Exception {
        String[] options = {"--workload", directory.toString(), "--ranks", "2", "--output", "json"};
        List<JsonNode> one = scores(options);
        String[] withThreads = Arrays.copyOf(options, options.length + 2);
        withThreads[options.length] = "--threads";
        withThreads[options.length + 1] = "3";

        assertThat(scores(withThreads)).isEqualTo(one).hasSize(2);
    }

    private List<JsonNode> scores(String... options) throws Exception {
        out = new StringWriter();
        assertThat(run(options)).as(err.toString()).isZero();
        ObjectMapper mapper = new ObjectMapper();
        List<JsonNode> roots = new ArrayList<>();
        for (String line : out.toString().lines().toList()) {
            JsonNode root = mapper.readTree(line);
            root.path("policies").forEach(policy -> ((ObjectNode) policy).remove("millisPerLayer"));
            roots.add(root);
        }
        return roots;
    }

    @Test
    void theTextShowsNumbersAndPictureAndHowToRunAgain() throws Exception {
        Path svg = directory.resolve("pareto.svg");
        assertThat(run(
                        "--workload",
                        file("b.npy.gz"),
                        "--ranks",
                        "2",
                        "--policy",
                        "static,plimsoll",
                        "--replan-every",
                        "2",
                        "--layers",
                        "1..2",
                        "--svg",
                        svg.toString()))
                .as(err.toString())
                .isZero();

        assertThat(out.toString())
                .contains("b.npy.gz, 2 ranks + 2 redundant slots on 1 node, 5 windows scored")
                .contains("a static")
                .contains("b plimsoll")
                .contains("on the front")
                .contains("against moved share (right)")
                .contains(
                        "again: plimsoll bench planner --workload " + file("b.npy.gz")
                                + " --ranks 2 --redundant 2 --nodes 1 --policy static,plimsoll --replan-every 2 --history 48 --layers 1..2");
        assertThat(Files.readString(svg)).startsWith("<svg").contains(">b  plimsoll: ");
    }

    @Test
    void besidePeersEveryRunOfTheirFileIsCompared() throws Exception {
        Path peers = Files.writeString(directory.resolve("peers.json"), PEERS);
        Path svg = directory.resolve("mean.svg");
        assertThat(run(
                        "--workload",
                        directory.toString(),
                        "--peers",
                        peers.toString(),
                        "--output",
                        "markdown",
                        "--svg",
                        svg.toString()))
                .as(err.toString())
                .isZero();

        assertThat(out.toString())
                .contains("| a | 2+2/1 | 5 |")
                .contains("| a | 4+0/2 | 5 |")
                .contains("still (first 3)")
                .contains("| b | 2+2/1 | 5 |")
                .contains("is ahead of every public planner in 2 of 3 runs");
        // The only public planner was stopped once: its mean is not over the same windows.
        assertThat(Files.readString(svg)).contains("mean over 3 runs").doesNotContain("still");
    }

    @Test
    void aFileAloneIsComparedOnItsOwnRuns() throws Exception {
        Path peers = Files.writeString(directory.resolve("peers.json"), PEERS);
        assertThat(run(
                        "--workload",
                        file("a.npy"),
                        "--peers",
                        peers.toString(),
                        "--policy",
                        "static",
                        "--output",
                        "json"))
                .as(err.toString())
                .isZero();

        JsonNode root = new ObjectMapper().readTree(out.toString());
        assertThat(root.path("runs").findValuesAsText("workload")).containsExactly("a.npy", "a.npy");
        assertThat(root.path("policy").asText()).isEqualTo("static");
    }

    @Test
    void allThatIsWrongIsReportedAtOnce() throws Exception {
        Files.write(directory.resolve("c.npy"), new byte[20]);
        assertThat(run(
                        "--workload",
                        directory.toString(),
                        "--ranks",
                        "4",
                        "--redundant",
                        "3",
                        "--nodes",
                        "3",
                        "--policy",
                        "best,static",
                        "--replan-every",
                        "0",
                        "--history",
                        "0",
                        "--layers",
                        "0..9",
                        "--threads",
                        "0",
                        "--output",
                        "markdown",
                        "--svg",
                        directory.resolve("none/pareto.svg").toString()))
                .isEqualTo(2);

        assertThat(err.toString())
                .contains("--workload " + file("c.npy") + " is not a NumPy file")
                .contains("--ranks 4 do not divide evenly over --nodes 3")
                .contains("a.npy has 8 experts: with --redundant 3 these are 11 slots, which do not divide evenly")
                .contains("b.npy.gz has 8 experts")
                .contains("--policy: no policy 'best': choose one of ")
                .contains("--replan-every must be at least 1, not 0")
                .contains("--history must be at least 1, not 0")
                .contains("--layers 0..9: a.npy has layers 0..2")
                .contains("--threads must be 1 to 256, not 0")
                .contains("--output markdown is for --peers, --trace, --tokens-per-slot and --as-served only")
                .contains("--svg ");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void besidePeersAllThatIsWrongIsReportedAtOnceToo() throws Exception {
        Path peers = Files.writeString(
                directory.resolve("peers.json"),
                PEERS.replace("b.npy.gz", "gone.npy").replace("\"windowsScored\": 3", "\"windowsScored\": 6"));
        assertThat(run(
                        "--workload",
                        directory.toString(),
                        "--peers",
                        peers.toString(),
                        "--ranks",
                        "2",
                        "--policy",
                        "static,plimsoll"))
                .isEqualTo(2);

        assertThat(err.toString())
                .contains("--peers says what to run: leave out --ranks")
                .contains("--peers compares one policy, not [static, plimsoll]")
                .contains("lacks gone.npy, which --peers has scores on")
                .contains("--peers has 6 windows scored by still on a.npy, which has 6 windows");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void whatIsMissingIsSaid() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).contains("--workload is missing").contains("--ranks is missing; or give --peers");
    }

    @Test
    void moreSlotsOnARankThanExpertsAreRefused() {
        assertThat(run("--workload", file("a.npy"), "--ranks", "2", "--redundant", "10"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("each of --ranks 2 has 9 slots, more than there are experts");
        assertThat(run("--workload", file("a.npy"), "--ranks", "1", "--redundant", "2147483647"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("each of --ranks 1 has 2147483655 slots");
    }

    @Test
    void aFileThatEndsEarlyIsRefusedWithItsNameBeforeAnythingRuns() throws Exception {
        byte[] whole = Files.readAllBytes(directory.resolve("a.npy"));
        Files.write(directory.resolve("a.npy"), Arrays.copyOf(whole, whole.length - 2));

        assertThat(run("--workload", directory.toString(), "--ranks", "2", "--policy", "static"))
                .isEqualTo(2);

        assertThat(err.toString()).contains("a.npy ends before its last value");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void aPackedFileThatIsCutFailsWithItsNameAndTheResultsOfTheOthersAreKept() throws Exception {
        byte[] whole = Files.readAllBytes(directory.resolve("b.npy.gz"));
        Files.write(directory.resolve("b.npy.gz"), Arrays.copyOf(whole, whole.length - 40));

        assertThat(run(
                        "--workload",
                        directory.toString(),
                        "--ranks",
                        "2",
                        "--policy",
                        "static,deepseek",
                        "--output",
                        "json"))
                .isEqualTo(1);

        assertThat(out.toString().lines()).singleElement().asString().contains("\"workload\":\"a.npy\"");
        assertThat(err.toString().lines().filter(line -> line.contains("b.npy.gz")))
                .singleElement()
                .asString()
                .contains("ends before its last value");
    }

    @Test
    void staticScoresWhatThePeersFileSaysOfIt() throws Exception {
        Path workloads = Path.of(System.getProperty("plimsoll.shared", "../../shared"), "workloads");
        if (!Files.isDirectory(workloads)) {
            System.out.println(
                    "BenchPlannerCommandTest skips peers' scores: no workloads at ../shared; set -Dplimsoll.shared=DIR");
        }
        Assumptions.assumeTrue(Files.isDirectory(workloads), "no shared workloads");
        Path peers = workloads.resolve("peer-scores.json");
        assertThat(run(
                        "--workload",
                        workloads.toString(),
                        "--peers",
                        peers.toString(),
                        "--policy",
                        "static",
                        "--threads",
                        "2",
                        "--output",
                        "json"))
                .as(err.toString())
                .isZero();

        JsonNode runs = new ObjectMapper().readTree(out.toString()).path("runs");
        int compared = 0;
        for (JsonNode theirs :
                new ObjectMapper().readTree(Files.readAllBytes(peers)).path("scores")) {
            if (theirs.path("policy").asText().equals("static")) {
                JsonNode ours = runs.path(compared++);
                for (String key : List.of(
                        "workload", "ranks", "redundant", "nodes", "windowsScored", "next", "nextP05", "inSample")) {
                    assertThat(ours.path(key).asText())
                            .as(key + " of " + theirs)
                            .satisfies(text ->
                                    assertThat(same(text, theirs.path(key))).isTrue());
                }
                assertThat(ours.path("movedShare").asDouble()).isZero();
                assertThat(ours.path("movesFirst").asDouble()).isZero();
            }
        }
        assertThat(compared).isEqualTo(runs.size()).isEqualTo(44);
    }

    /** Numbers to a unit in the last of four places, where two roundings can fall apart. */
    private static boolean same(String ours, JsonNode theirs) {
        return theirs.isTextual()
                ? theirs.asText().equals(ours)
                : Math.abs(Double.parseDouble(ours) - theirs.asDouble()) < 1.0001e-4;
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    private int run(String... options) {
        String[] arguments = new String[options.length + 2];
        arguments[0] = "bench";
        arguments[1] = "planner";
        System.arraycopy(options, 0, arguments, 2, options.length);
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        line.setOut(new PrintWriter(out, true));
        return line.execute(arguments);
    }
}
