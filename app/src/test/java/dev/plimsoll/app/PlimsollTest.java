package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class PlimsollTest {
    private final StringWriter err = new StringWriter();
    private final StringWriter out = new StringWriter();

    @Test
    void allThatIsWrongIsReportedAtOnceBeforeAnythingStarts() {
        int code = run(
                "up",
                "--ranks",
                "6",
                "--nodes",
                "4",
                "--window",
                "100",
                "--trace-order",
                "domains",
                "--model",
                "gpt-9",
                "--seed",
                "abc",
                "--bogus",
                "--for",
                "soon",
                "--metrics-port",
                "99999");

        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains("--nodes 4 does not divide --ranks 6")
                .contains("--window 100 must be a multiple of --boundary 16")
                .contains("--trace-order needs a --trace")
                .contains("gpt-9")
                .contains("abc")
                .contains("--bogus")
                .contains("soon")
                .contains("--metrics-port must be 0 to 65535");
    }

    @Test
    void aValueThatCannotBeReadBringsNoOtherProblems() {
        assertThat(run("up", "--seed", "abc")).isEqualTo(2);

        assertThat(err.toString().lines().filter(line -> line.startsWith("plimsoll: ")))
                .singleElement()
                .asString()
                .contains("abc");
    }

    @Test
    void ranksThatTheMachineHasNoMemoryForAreRefusedWithTheirNumbers() {
        int code =
                run("up", "--model", "deepseek-v3", "--expert-bytes", "256MiB", "--transfer-bytes-per-second", "1GiB");

        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("8 ranks with 58 layers × 33 slots of 256MiB take 4110.3 GB, and");
    }

    @Test
    void sizesAreReadAsPeopleWriteThem() {
        int code = run(
                "ranks",
                "--ring-dir",
                "/nowhere",
                "--expert-bytes",
                "257MiB",
                "--transfer-bytes-per-second",
                "1",
                "--layers",
                "0");

        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains("--expert-bytes must be a multiple of 8 from 64 to 256MiB, not 269484032")
                .contains("--transfer-bytes-per-second must be 0, for no limit, or at least 1KiB, not 1")
                .contains("--layers must be at least 1, not 0");
        assertThat(run("up", "--expert-bytes", "44MB")).isEqualTo(2);
        assertThat(err.toString()).contains("'44MB' is not a number of bytes: write 4096, 64KiB, 44MiB or 1GiB");
    }

    @Test
    void slotsThatDoNotDivideAreRefusedWithANumberThatDoes() {
        int code = run("up", "--model", "qwen3-30b", "--ranks", "8", "--redundant", "9");

        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("137 slots").contains("use 16");
    }

    @Test
    void aTraceThatIsNotThereIsNamed() {
        assertThat(run("up", "--trace", "/no/such/trace")).isEqualTo(2);
        assertThat(err.toString()).contains("--trace").contains("/no/such/trace");
    }

    @Test
    void dataBelongsToTheEmbeddedBrokerOnly() {
        assertThat(run("up", "--data", "/tmp/x", "--bootstrap-servers", "localhost:1"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--data").contains("--bootstrap-servers");
    }

    @Test
    void budgetsThatAllowNothingAreRefusedAllAtOnce() {
        for (String role : new String[] {"up", "planner"}) {
            err.getBuffer().setLength(0);
            int code = run(
                    role,
                    "--max-moves",
                    "0",
                    "--max-bytes",
                    "-1",
                    "--max-layers",
                    "0",
                    "--other-node-price",
                    "0.5",
                    "--plan-threads",
                    "0",
                    "--approve-within",
                    "0s",
                    "--metrics-port",
                    "99999");

            assertThat(code).as(role).isEqualTo(2);
            assertThat(err.toString())
                    .as(role)
                    .contains("--max-moves must be at least 1, not 0")
                    .contains("--max-bytes must be at least 1, not -1")
                    .contains("--max-layers must be at least 1, not 0")
                    .contains("--other-node-price must be a number of at least 1, not 0.5")
                    .contains("--plan-threads must be at least 1, not 0")
                    .contains("--approve-within must be some time, not PT0S")
                    .contains("--metrics-port must be 0 to 65535");
        }
    }

    @Test
    void rolesThatNeedAClusterSaySo() {
        for (String role : new String[] {"collector", "aggregator", "planner", "worker"}) {
            err.getBuffer().setLength(0);
            assertThat(run(role)).as(role).isEqualTo(2);
            assertThat(err.toString()).as(role).contains("--bootstrap-servers is missing");
        }
    }

    @Test
    void aTopicThatDoesNotExistIsAnsweredWithThoseThatDo() {
        assertThat(run("topics", "tail", "--bootstrap-servers", "localhost:1", "windoes"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("no topic 'windoes'").contains("window-summaries");
    }

    @Test
    void everyCommandExplainsItself() {
        for (String command : new String[] {
            "up", "topics", "broker", "ranks", "collector", "aggregator", "planner", "worker", "devices", "bench"
        }) {
            out.getBuffer().setLength(0);
            assertThat(run(command, "--help")).as(command).isZero();
            assertThat(out.toString()).as(command).contains("Usage: plimsoll " + command);
        }
    }

    @Test
    void whatIsNeededIsMarkedAndEveryDefaultIsShown() {
        assertThat(run("collector", "--help")).isZero();
        assertThat(out.toString())
                .containsPattern("\\* +--bootstrap-servers=")
                .containsPattern("\\* +--shm, --ring-dir=DIR")
                .contains("* needed");
        out.getBuffer().setLength(0);

        assertThat(run("up", "--help")).isZero();
        assertThat(out.toString())
                .doesNotContain("* needed")
                .doesNotContain("DEFAULT-VALUE")
                .contains("--policy=NAME")
                .contains("--steps-per-second=")
                .contains("(default: 100)");
        out.getBuffer().setLength(0);

        assertThat(run("membership", "write", "--help")).isZero();
        assertThat(out.toString())
                .containsPattern("\\* +--incarnation=N")
                .containsPattern("\\n +--bootstrap-servers=")
                .contains("(default: none)");
    }

    @Test
    void whatIsMissingIsSaidOnceWithWhatItIsFor() {
        assertThat(run("collector")).isEqualTo(2);

        assertThat(err.toString()).doesNotContain("Missing required option");
        assertThat(err.toString().lines().filter(line -> line.contains("--ring-dir")))
                .hasSize(1);
    }

    @Test
    void aPolicyThatDoesNotExistIsAnsweredWithThoseThatDo() {
        for (String role : new String[] {"up", "planner"}) {
            err.getBuffer().setLength(0);
            assertThat(run(role, "--policy", "best")).as(role).isEqualTo(2);
            assertThat(err.toString()).as(role).contains("--policy: no policy 'best': choose one of ");
        }
    }

    @Test
    void noCommandIsAnErrorThatNamesThem() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).contains("up").contains("topics");
    }

    private int run(String... arguments) {
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        line.setOut(new PrintWriter(out, true));
        return line.execute(arguments);
    }
}
