package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
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
    void engineLeavesSlotsIdleOnlyWhereThatIsSaid() {
        assertThat(write("1", "--model", "qwen3-30b")).isZero();
        assertThat(read().idleSlots()).isFalse();

        assertThat(write("2", "--model", "qwen3-30b", "--idle-slots")).isZero();
        assertThat(read().idleSlots()).isTrue();
        assertThat(MembershipShowCommand.text(new MembershipFile(directory), read()))
                .contains("; slots may stand idle");
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
                .contains(
                        "is of r1/decode-0, incarnation 4, and --incarnation is 4: choose a higher one or another directory");
        assertThat(read().shape().name()).isEqualTo("qwen3-30b");

        assertThat(write("4", "--model", "gpt-oss-120b", "--force")).isZero();
        assertThat(read().shape().name()).isEqualTo("gpt-oss-120b");
    }

    @Test
    void incarnationInAnotherUnitThanMillisecondsIsRefusedWithBothNumbersEvenIfForced() {
        long nanos = System.currentTimeMillis() * 1_000_000;

        assertThat(write(Long.toString(nanos), "--model", "qwen3-30b", "--force"))
                .isEqualTo(2);

        assertThat(err.toString())
                .contains("--incarnation " + nanos + " is more than a day ahead of the clock, which says ")
                .contains("Give milliseconds");
        assertThat(new MembershipFile(directory).read()).isEmpty();
    }

    @Test
    void ranksDoNotReplaceALaterLifeOfTheirDeployment() {
        long later = System.currentTimeMillis() + 3_600_000;
        assertThat(write(Long.toString(later), "--model", "qwen3-30b")).isZero();

        // by the clock, and by a number of its own
        assertThat(run("ranks", "--ring-dir", directory.toString(), "--deployment", "r1/decode-0"))
                .isEqualTo(2);
        assertThat(run(
                        "ranks",
                        "--ring-dir",
                        directory.toString(),
                        "--deployment",
                        "r1/decode-0",
                        "--incarnation",
                        "7"))
                .isEqualTo(2);

        assertThat(err.toString())
                .contains("incarnation 7 of r1/decode-0 is lower than " + later)
                .contains("Start with " + (later + 1) + " or higher")
                .contains("--deployment");
        assertThat(read().incarnation()).isEqualTo(later);
    }

    @Test
    void writingIsRefusedWhereTheTopicsKnowALaterLife(@TempDir Path data) {
        try (EmbeddedBroker broker = EmbeddedBroker.start(data, 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, Duration.ofSeconds(30))) {
                admin.create(4, 1);
            }
            assertThat(write("9", "--model", "qwen3-30b", "--bootstrap-servers", broker.bootstrapServers()))
                    .isZero();
            TopicWriter.writeTogether(
                    kafka,
                    "test",
                    List.of(Output.of(Topic.MEMBERS, read().deployment(), read())),
                    Duration.ofSeconds(30));
            new MembershipFile(directory).path().toFile().delete(); // as on a node that is new

            assertThat(write("8", "--model", "qwen3-30b", "--bootstrap-servers", broker.bootstrapServers()))
                    .isEqualTo(2);
            assertThat(new MembershipFile(directory).read()).isEmpty();
            assertThat(write("9", "--model", "qwen3-30b", "--bootstrap-servers", broker.bootstrapServers()))
                    .isZero();
        }
    }

    @Test
    void whatUpRefusesIsNotWritten() {
        assertThat(write("1", "--model", "mine", "--layers", "2", "--experts", "16", "--top-k", "4"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("17 slots on a rank for 16 experts");
        err.getBuffer().setLength(0);

        assertThat(write("1", "--model", "qwen3-30b", "--engine", "vllm\u001b[2J"))
                .isEqualTo(2);
        assertThat(write("1", "--model", "a\u0007b", "--layers", "2", "--experts", "64", "--top-k", "4"))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains("engine 'vllm?[2J' must have no control characters")
                .contains("model 'a?b' must have no control characters")
                .doesNotContain("\u001b");
        assertThat(new MembershipFile(directory).read()).isEmpty();
    }

    @Test
    void sizesThatNoModelHasAreRefusedBeforeTheyAreAllocated() {
        assertThat(write("1", "--layers", "2147483647", "--experts", "64", "--top-k", "4"))
                .isEqualTo(2);
        assertThat(write("1", "--layer-ids", "0..999999999", "--experts", "64", "--top-k", "4"))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains("--layers must be 1 to 4096, not 2147483647")
                .contains("'0..999999999' is not an ascending range of at most 4096 layers");
    }

    @Test
    void layersWithExpertsNeedNotFollowEachOther() {
        assertThat(write("1", "--layer-ids", "0,2,4..6", "--experts", "64", "--top-k", "4"))
                .isZero();
        assertThat(read().shape().layerIds()).containsExactly(0, 2, 4, 5, 6);
        assertThat(MembershipShowCommand.text(new MembershipFile(directory), read()))
                .contains("layer ids [0, 2, 4, 5, 6]");

        assertThat(write("2", "--layer-ids", "4,2", "--experts", "64", "--top-k", "4"))
                .isEqualTo(2);
        assertThat(write("2", "--layer-ids", "0,x", "--experts", "64", "--top-k", "4"))
                .isEqualTo(2);
        assertThat(write("2", "--layer-ids", "0", "--layers", "1", "--experts", "64", "--top-k", "4"))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains("layer ids must ascend from 0: [4, 2]")
                .contains("'x' is not the number of a layer")
                .contains("leave --layers and --dense-layers out");
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
