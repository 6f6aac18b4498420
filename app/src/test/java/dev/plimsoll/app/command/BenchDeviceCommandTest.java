package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Plimsoll;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

@Timeout(60)
class BenchDeviceCommandTest {
    private final StringWriter err = new StringWriter();
    private final StringWriter out = new StringWriter();

    @Test
    void everyFigureIsThereWithWhatReproducesIt() throws Exception {
        assertThat(run("--output", "json", "--ranks", "3,2", "--boundaries", "30", "--layers", "4", "--slots", "2"))
                .as(err.toString())
                .isZero();

        JsonNode root = new ObjectMapper().readTree(out.toString());
        assertMeasured(root.path("snapshotMicros"), 30);
        assertMeasured(root.path("boundaryToCallbackMicros"), 30);
        assertThat(root.path("gatherMicros").fieldNames()).toIterable().containsExactly("2", "3");
        assertMeasured(root.path("gatherMicros").path("2"), 30);
        assertMeasured(root.path("gatherMicros").path("3"), 30);
        assertThat(root.path("arguments").asText())
                .isEqualTo("--backend host --ranks 2,3 --layers 4 --slots 2 --boundaries 30");
        assertThat(root.path("machine").path("cores").asInt())
                .isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(root.path("machine").path("jdk").asText())
                .contains(Runtime.version().toString());
    }

    private static void assertMeasured(JsonNode micros, int times) {
        assertThat(micros.path("measured").asInt()).isEqualTo(times);
        assertThat(micros.path("p50").asDouble()).isPositive();
        assertThat(micros.path("p99").asDouble())
                .isGreaterThanOrEqualTo(micros.path("p50").asDouble());
    }

    @Test
    void theTextSaysHowToMeasureAgain() {
        assertThat(run("--ranks", "2", "--boundaries", "5", "--layers", "1", "--slots", "1"))
                .isZero();
        assertThat(out.toString())
                .contains("snapshot on the dispatch thread")
                .contains("gather of 2 ranks")
                .contains("again: plimsoll bench device --backend host --ranks 2 --layers 1 --slots 1 --boundaries 5");
    }

    @Test
    void aGroupOfOneIsMeasuredLikeAnyOther() {
        assertThat(run("--ranks", "1", "--boundaries", "5", "--layers", "1", "--slots", "1"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("gather of 1 rank ");
    }

    @Test
    void allThatIsWrongIsReportedAtOnce() {
        assertThat(run(
                        "--ranks",
                        "8,0,2000",
                        "--layers",
                        "0",
                        "--slots",
                        "70000",
                        "--boundaries",
                        "-1",
                        "--backend",
                        "tpu"))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains("--ranks must be 1 to 1024, not 0")
                .contains("--ranks must be 1 to 1024, not 2000")
                .contains("--layers must be 1 to 4096, not 0")
                .contains("--slots must be 1 to 65536, not 70000")
                .contains("--boundaries must be 1 to 10000000, not -1")
                .contains("not 'tpu'");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void whatDoesNotFitIntoMemoryIsRefusedWithBothSizes() {
        assertThat(run("--ranks", "8,1024", "--layers", "4096", "--slots", "65536"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--ranks 1024").contains("GB of memory, this machine has");
    }

    @Test
    void aBackEndThatIsNotHereIsRefusedWithTheReason() {
        assertThat(run("--backend", "ascend")).isEqualTo(2);
        assertThat(err.toString()).contains("--backend ascend is not available").contains("libascendcl.so");
    }

    @Test
    void benchAloneNamesWhatCanBeMeasured() {
        assertThat(execute("bench")).isEqualTo(2);
        assertThat(err.toString()).contains("name a command: decisions, device, planner, redundancy, windows");
    }

    private int run(String... options) {
        String[] arguments = new String[options.length + 2];
        arguments[0] = "bench";
        arguments[1] = "device";
        System.arraycopy(options, 0, arguments, 2, options.length);
        return execute(arguments);
    }

    private int execute(String... arguments) {
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        line.setOut(new PrintWriter(out, true));
        return line.execute(arguments);
    }
}
