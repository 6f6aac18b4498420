package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** From a real broker's topics to files that engines start with. */
@Timeout(120)
class PlacementCommandTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Placement SETTLED = Placement.of(4, new int[][] {{0, 1, 2, 1}, {2, 1, 0, 1}});
    /** The second slot of expert 0 stands idle in the first layer. */
    private static final Placement IDLE = Placement.of(
            5, new int[][] {{0, 1, 2, 0}, {0, 1, 2, 0}}, new BitSet[] {BitSet.valueOf(new long[] {0b1000})});

    @TempDir
    static Path broker;

    @TempDir
    Path directory;

    private static EmbeddedBroker kafka;

    private static Membership members(String deployment, long incarnation) {
        return new Membership(
                new Deployment(deployment),
                incarnation,
                new ModelShape("demo", 3, 1, List.of(3, 5)),
                Topology.even(2, 1, 2),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                16,
                32,
                1,
                1);
    }

    @BeforeAll
    static void write() throws Exception {
        kafka = EmbeddedBroker.start(broker, 0);
        KafkaSettings settings = KafkaSettings.of(kafka.bootstrapServers());
        try (TopicAdmin admin = new TopicAdmin(settings, SOON)) {
            admin.create(1, 1);
        }
        List<Output<?>> outputs = new ArrayList<>();
        settle(outputs, members("r1/decode-0", 8), Placement.of(9, new int[][] {{0, 1, 2, 0}, {0, 1, 2, 0}}), 2);
        Membership now = members("r1/decode-0", 9);
        settle(outputs, now, Placement.of(3, new int[][] {{0, 1, 2, 0}, {0, 1, 2, 0}}), 2);
        settle(outputs, now, SETTLED, 2);
        settle(outputs, members("r1/decode-00", 9), Placement.of(6, new int[][] {{1, 0, 2, 0}, {1, 0, 2, 0}}), 2);
        settle(outputs, members("young", 1), SETTLED, 0);
        settle(outputs, members("torn", 1), SETTLED, 1);
        settle(outputs, members("small/batches", 1), IDLE, 2);
        TopicWriter.writeTogether(settings, "test", outputs, SOON);
    }

    private static void settle(List<Output<?>> outputs, Membership members, Placement placement, int layers) {
        Deployment of = members.deployment();
        outputs.add(Output.of(Topic.MEMBERS, of, members));
        for (int layer = 0; layer < layers; layer++) {
            outputs.add(Output.of(
                    Topic.PLACEMENTS,
                    of,
                    SettledPlacement.of(of, members.incarnation(), placement, layer, placement.hash())));
        }
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    private static Told placement(String... arguments) {
        List<String> all = new ArrayList<>(List.of("placement"));
        all.addAll(List.of(arguments));
        all.add("--bootstrap-servers=" + kafka.bootstrapServers());
        return Told.by(all.toArray(String[]::new));
    }

    @Test
    void settledPlacementIsWrittenForEveryEngineThatCanHoldIt() throws IOException {
        Told told = placement(
                "export",
                "--deployment=r1/decode-0",
                "--to=sglang:" + directory.resolve("sglang.json"),
                "--to=trtllm:" + directory.resolve("trtllm.yaml"),
                "--to=vllm-ascend:" + directory.resolve("expert_map.json"),
                "--to=npy:" + directory.resolve("map.npy"),
                "--hidden-layers=6");

        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.out())
                .startsWith("r1/decode-0 v4, hash " + String.format(Locale.ROOT, "%016x", SETTLED.hash())
                        + ", 2 layers × 4 slots");
        assertThat(Files.readString(directory.resolve("sglang.json")))
                .isEqualTo("{\"physical_to_logical_map\": [[0, 1, 2, 0], [0, 1, 2, 0], [0, 1, 2, 0], [0, 1, 2, 1],"
                        + " [0, 1, 2, 0], [2, 1, 0, 1]]}");
        assertThat(Files.readString(directory.resolve("trtllm.yaml")))
                .contains("  3: [0, 1, 2, 1]\n  5: [2, 1, 0, 1]\n");
        JsonNode map =
                new ObjectMapper().readTree(directory.resolve("expert_map.json").toFile());
        assertThat(map.at("/layer_list/1/device_list/0/device_expert").toString())
                .isEqualTo("[2,1]");
        assertThat(Files.size(directory.resolve("map.npy"))).isGreaterThan(64);
    }

    @Test
    void whatAKindNeedsToKnowIsAskedForAndTheOthersAreWritten() {
        Told told = placement(
                "export",
                "--deployment=r1/decode-0",
                "--to=sglang:" + directory.resolve("sglang.json"),
                "--to=vllm:" + directory.resolve("vllm.json"));

        assertThat(told.exitCode()).isEqualTo(1);
        assertThat(told.err()).contains("sglang").contains("--hidden-layers is needed");
        assertThat(directory.toFile().list()).containsExactly("vllm.json");
    }

    @Test
    void ranksThatAreLeftGetAStartThatCoversEveryExpertAndWhatNobodyHoldsIsNamed() {
        Told told = placement(
                "export",
                "--deployment=r1/decode-0",
                "--without-ranks=1",
                "--joining-ranks=1",
                "--to=npy:" + directory.resolve("map.npy"));
        Told tooFew = placement(
                "export", "--deployment=r1/decode-0", "--without-ranks=0", "--to=npy:" + directory.resolve("none.npy"));

        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.out())
                .contains("2 ranks, of which 1 go on: 4 of 8 slots get weights that their rank does not hold")
                .contains("from the checkpoint alone: layer 0, experts [2]")
                .contains("from the checkpoint alone: layer 1, experts [0]");
        assertThat(tooFew.exitCode()).isEqualTo(1);
        assertThat(tooFew.err())
                .contains("1 ranks of 2 slots cannot hold 3 experts")
                .contains("--slots-per-rank");
        assertThat(directory.toFile().list()).containsExactly("map.npy");
    }

    @Test
    void deploymentThatHasNotSettledYetIsToldSo() {
        Told young = placement("export", "--deployment=young", "--to=vllm:" + directory.resolve("x"));
        Told torn = placement("show", "--deployment=torn");
        Told unknown = placement("show", "--deployment=nobody");

        assertThat(young.exitCode()).isEqualTo(1);
        assertThat(young.err()).contains("young, incarnation 1 has no settled placement yet");
        assertThat(torn.exitCode()).isEqualTo(1);
        assertThat(torn.err()).contains("version 4 is not whole");
        assertThat(unknown.exitCode()).isEqualTo(1);
        assertThat(unknown.err()).contains("no membership of nobody");
        assertThat(directory.toFile().list()).isEmpty();
    }

    @Test
    void showSaysVersionHashAndReplicas() throws IOException {
        Told told = placement("show", "--deployment=r1/decode-0");
        JsonNode json = new ObjectMapper()
                .readTree(placement("show", "--deployment=r1/decode-0", "--output=json")
                        .out());

        assertThat(told.out().lines())
                .contains(
                        "r1/decode-0, incarnation 9, demo",
                        "  slots        4 on 2 ranks, for 3 experts: 1 redundant in each layer",
                        "  replicas     4 experts with 1, 2 experts with 2, over all layers",
                        "  moved        4 slots hold another expert than at the start");
        assertThat(told.out()).contains("version      4, hash ");
        assertThat(json.at("/placement/1/0").asInt()).isEqualTo(2);
        assertThat(json.at("/version").asInt()).isEqualTo(4);
    }

    @Test
    void slotsThatStandIdleAreShownAndAFileOfAnEngineSaysThatItUsesThem() throws IOException {
        Told told = placement("show", "--deployment=small/batches");
        JsonNode json = new ObjectMapper()
                .readTree(placement("show", "--deployment=small/batches", "--output=json")
                        .out());
        Told exported = placement("export", "--deployment=small/batches", "--to=npy:" + directory.resolve("map.npy"));

        assertThat(told.out().lines())
                .contains(
                        "  idle         1 slots in 1 layers hold an expert that no router sends to",
                        "  replicas     5 experts with 1, 1 experts with 2, over all layers");
        assertThat(json.get("placement").toString()).isEqualTo("[[0,1,2,0],[0,1,2,0]]");
        assertThat(json.get("idle").toString()).isEqualTo("[[3],[]]");
        assertThat(exported.exitCode()).as(exported.err()).isZero();
        assertThat(exported.out()).contains("1 slots that stand idle are in use in this file");
    }

    @Test
    void optionsAreCheckedBeforeAnythingIsRead() {
        Told told = Told.by("placement", "export", "--deployment= ", "--to=sglan:x", "--hidden-layers=0");

        assertThat(told.exitCode()).isEqualTo(2);
        assertThat(told.err())
                .contains("--bootstrap-servers is missing")
                .contains("--deployment: ")
                .contains("KIND is one of sglang, trtllm")
                .contains("--hidden-layers must be");
    }
}
