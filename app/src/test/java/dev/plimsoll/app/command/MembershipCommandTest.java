package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.wire.MembershipFile;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MembershipCommandTest {
    @TempDir
    Path directory = Path.of("set by JUnit");

    private final StringWriter err = new StringWriter();

    @Test
    void whatIsWrittenIsWhatACollectorReads() {
        assertThat(write("3", "--model", "qwen3-30b", "--nodes", "2", "--boundary", "8", "--window", "512"))
                .isZero();

        Membership members = read();
        assertThat(members.deployment()).isEqualTo(new Deployment("r1/decode-0"));
        assertThat(members.incarnation()).isEqualTo(3);
        assertThat(members.shape().layers()).isEqualTo(48);
        assertThat(members.topology().nodeOfRank()).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
        assertThat(members.topology().slotsPerRank()).isEqualTo(17);
        assertThat(members.boundarySteps()).isEqualTo(8);
        assertThat(members.windowSteps()).isEqualTo(512);
        assertThat(members.gather()).isEqualTo(GatherMode.NONE);
        assertThat(members.phase()).isEqualTo(Phase.ALL);
        String shown = MembershipShowCommand.text(new MembershipFile(directory), members);
        assertThat(shown)
                .contains("r1/decode-0, incarnation 3, not yet known to be in the topics")
                .contains("48 layers × 128 experts, top 8, layer ids 0 to 47")
                .contains("gather        none, phase all");
        assertThat(run("membership", "show", "--ring-dir", directory.toString()))
                .isZero();
    }

    @Test
    void modelOfOnesOwnIsDescribedByItsNumbers() {
        assertThat(write(
                        "1",
                        "--model",
                        "mine",
                        "--layers",
                        "2",
                        "--dense-layers",
                        "1",
                        "--experts",
                        "64",
                        "--top-k",
                        "4"))
                .isZero();

        assertThat(read().shape().name()).isEqualTo("mine");
        assertThat(read().shape().layerIds()).containsExactly(1, 2);
        assertThat(read().shape().experts()).isEqualTo(64);
    }

    @Test
    void allThatIsWrongIsReportedAtOnceAndNothingIsWritten() {
        int code = run(
                "membership",
                "write",
                "--deployment",
                "-no-",
                "--incarnation",
                "0",
                "--experts",
                "64",
                "--ranks",
                "6",
                "--nodes",
                "4",
                "--window",
                "100",
                "--gather",
                "carrier-pigeon",
                "--expert-bytes",
                "8",
                "--staging-bytes",
                "7");

        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains("--ring-dir is missing")
                .contains("--deployment: deployment '-no-'")
                .contains("--incarnation must be above 0, not 0")
                .contains("--layers is missing")
                .contains("--top-k is missing")
                .contains("--nodes 4 does not divide --ranks 6")
                .contains("--slots-per-rank is missing")
                .contains("--window 100 must be a multiple of --boundary 16")
                .contains("carrier-pigeon")
                .contains("--staging-bytes 7 cannot hold one expert of 8 bytes");
        assertThat(new MembershipFile(directory).read()).isEmpty();
    }

    @Test
    void tooFewSlotsAreRefused() {
        assertThat(write("1", "--model", "deepseek-v3")).isEqualTo(2);
        assertThat(err.toString()).contains("--ranks 8 × --slots-per-rank 17 are 136 slots, too few for 256 experts");
    }

    @Test
    void membershipIsReplacedByALaterLifeOfItsDeploymentOnlyUnlessForced() {
        assertThat(write("3", "--model", "qwen3-30b")).isZero();
        assertThat(write("3", "--model", "qwen3-30b")).isZero(); // the very same
        assertThat(write("4", "--model", "qwen3-30b")).isZero();

        assertThat(write("4", "--model", "gpt-oss-120b")).isEqualTo(2);
        assertThat(err.toString())
                .contains("is of r1/decode-0, incarnation 4: choose a higher --incarnation or another directory");
        assertThat(read().shape().name()).isEqualTo("qwen3-30b");

        assertThat(write("4", "--model", "gpt-oss-120b", "--force")).isZero();
        assertThat(read().shape().name()).isEqualTo("gpt-oss-120b");
    }

    @Test
    void directoryWithoutAMembershipIsSaidToHaveNone() {
        assertThat(run("membership", "show", "--ring-dir", directory.toString()))
                .isEqualTo(1);
        assertThat(run("membership", "show")).isEqualTo(2);
        assertThat(run("membership")).isEqualTo(2);
        assertThat(err.toString()).contains("--ring-dir is missing").contains("name a command: ");
    }

    private Membership read() {
        return new MembershipFile(directory).read().orElseThrow();
    }

    private int write(String incarnation, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "membership",
                "write",
                "--ring-dir",
                directory.toString(),
                "--deployment",
                "r1/decode-0",
                "--incarnation",
                incarnation,
                "--ranks",
                "8",
                "--slots-per-rank",
                "17"));
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    private int run(String... arguments) {
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }
}
