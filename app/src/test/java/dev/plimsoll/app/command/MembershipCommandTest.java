package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
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

    private static final String[] TINY = {"--layers", "3", "--dense-layers", "1", "--experts", "8", "--top-k", "2"};

    /** Of two ranks with five slots each, as the toy engines had whose files are in ../shared/formats. */
    private int writeTiny(String incarnation, String... more) {
        List<String> arguments = new ArrayList<>(List.of(TINY));
        arguments.addAll(List.of("--ranks", "2", "--slots-per-rank", "5"));
        arguments.addAll(List.of(more));
        return write(incarnation, arguments.toArray(String[]::new));
    }

    private String text() {
        return MembershipShowCommand.text(new MembershipFile(directory), read());
    }

    @Test
    void engineIsLikeTheSystemThatItIsSaidToBeAndAsIsSaidBesides() {
        assertThat(write("1", "--model", "qwen3-30b", "--system", "vllm")).isZero();
        assertThat(read().traits())
                .isEqualTo(
                        new EngineTraits(false, true, LoadKind.ROUTED_TO, ReplicaShare.HASHED_ROW, Deadlines.DEFAULT));
        assertThat(text())
                .contains("moved by the engine itself")
                .contains("counters      routed-to tokens; replicas share hashed-row")
                .contains("deadlines     60 boundaries to accept, 200 to flip")
                .contains("starts at     slot modulo experts");

        assertThat(write(
                        "2",
                        "--model",
                        "qwen3-30b",
                        "--system",
                        "vllm",
                        "--load",
                        "replicated",
                        "--replica-share",
                        "even",
                        "--engine-moves=false",
                        "--accept-boundaries",
                        "7",
                        "--progress-boundaries",
                        "9"))
                .isZero();
        assertThat(read().traits())
                .isEqualTo(new EngineTraits(false, false, LoadKind.REPLICATED, ReplicaShare.EVEN, new Deadlines(7, 9)));
    }

    @Test
    void engineThatAdoptsMapsInACycleHasTimeForTwoOfThem() {
        assertThat(write("1", "--model", "qwen3-30b", "--system", "ascend-v1")).isZero();
        assertThat(read().traits().deadlines()).isEqualTo(Deadlines.DEFAULT);
        assertThat(write("2", "--model", "qwen3-30b", "--system", "ascend-v1", "--boundary", "4"))
                .isZero();
        assertThat(read().traits().deadlines()).isEqualTo(new Deadlines(60, 354));
    }

    @Test
    void traitsThatMakeNoSenseAreReportedTogether() {
        int code = write(
                "1",
                "--model",
                "qwen3-30b",
                "--system",
                "vllm",
                "--idle-slots",
                "--load",
                "guessed",
                "--replica-share",
                "unfair",
                "--accept-boundaries",
                "0",
                "--initial-placement",
                directory.resolve("none.json").toString());

        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains("--load guessed is none of computed, routed-to, replicated")
                .contains("--replica-share unfair is none of even, by-source, local-first, hashed-row, fitted")
                .contains("--accept-boundaries must be at least 1, not 0")
                .contains("as --system vllm does, is given a map of experts only")
                .contains("none.json: cannot be read");
    }

    @Test
    void engineStartsWithTheMapOfItsOwnFile() {
        Path formats = Path.of("../../shared/formats");
        assumeTrue(Files.isDirectory(formats), "needs " + formats.toAbsolutePath());
        assertThat(writeTiny(
                        "1",
                        "--initial-placement",
                        formats.resolve("sglang/init_physical_to_logical_map.json")
                                .toString()))
                .isZero();
        assertThat(read().start().layer(0)).containsExactly(5, 7, 2, 0, 1, 0, 6, 4, 7, 3);
        assertThat(text()).contains("starts at     a placement of its own, ").doesNotContain("mended");

        assertThat(writeTiny(
                        "2",
                        "--initial-placement",
                        formats.resolve("ascend/expert_map_redundant.json").toString()))
                .isZero();
        assertThat(read().initial()).isPresent();
        assertThat(read().start().slots()).isEqualTo(10);

        // vLLM's own policy puts an expert on a rank twice.
        assertThat(writeTiny(
                        "3",
                        "--staging-bytes",
                        "4",
                        "--initial-placement",
                        formats.resolve("vllm/hygon_v1.json").toString()))
                .isZero();
        assertThat(text())
                .containsPattern("to be mended by the first decision: layer \\d rank \\d holds expert \\d twice");
    }

    @Test
    void engineStartsWithWhatPlacementShowPrints() throws Exception {
        Path file = directory.resolve("shown.json");
        Files.writeString(
                file,
                "{\"version\": 7, \"placement\": [[1,0,2,3,4,5,6,7,0,1],[0,1,2,3,4,5,6,7,0,1],[0,1,2,3,4,5,6,7,0,1]],"
                        + " \"idle\": [[9],[],[]]}");
        assertThat(writeTiny("1", "--idle-slots", "--initial-placement", file.toString()))
                .isZero();
        assertThat(read().start().version()).isZero();
        assertThat(read().start().inUse(0)).containsExactly(1, 0, 2, 3, 4, 5, 6, 7, 0, -1);
        assertThat(text()).contains(", 1 slots idle");

        assertThat(writeTiny("2", "--initial-placement", file.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("leaves 1 slots idle, and the engine uses every slot");
    }

    @Test
    void startThatNoDecisionCouldMendIsRefused() throws Exception {
        Path file = directory.resolve("map.json");
        Files.writeString(
                file,
                "{\"physical_to_logical_map\": [[0,1,2,3,4,5,6,7,0,1],[0,0,0,3,4,5,6,7,1,2],[0,1,2,3,4,5,6,7,0,1],"
                        + "[0,1,2,3,4,5,6,7,0,1]]}");
        assertThat(writeTiny("1", "--initial-placement", file.toString())).isEqualTo(2);
        assertThat(err.toString())
                .contains("--initial-placement has 2 slots to be mended on one rank in one layer, and --staging-bytes"
                        + " has room for 1: give it 2");
        assertThat(writeTiny("1", "--staging-bytes", "2", "--initial-placement", file.toString()))
                .isZero();

        Files.writeString(file, "{\"placement\": [[0,1,2,3,4,5,6,6,0,1],[0,1,2,3,4,5,6,7,0,1],[0,1,2,3,4,5,6,7,0,1]]}");
        assertThat(writeTiny("2", "--initial-placement", file.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("layer 0 holds expert 7 nowhere");
        Files.writeString(file, "{\"placement\": [[0,1],[2,3]]}");
        assertThat(writeTiny("2", "--initial-placement", file.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("has 2 layers × 2 slots, the deployment 3 × 10");
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
                .contains("is of r1/decode-0, incarnation 4, and --incarnation is 4: choose a higher one or another"
                        + " directory");
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
                incarnation));
        if (!List.of(more).contains("--ranks")) {
            arguments.addAll(List.of("--ranks", "8", "--slots-per-rank", "17"));
        }
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    private int run(String... arguments) {
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }
}
