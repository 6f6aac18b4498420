package dev.plimsoll.replay.format.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.Written;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Files that engines start with: each in its engine's own conventions, or refused. */
class PlacementFilesTest {
    private static final Placement PLACEMENT = Placement.of(7, new int[][] {{0, 1, 2, 3, 0, 1}, {0, 1, 2, 2, 3, 1}});
    private static final Topology TWO_RANKS = Topology.even(2, 1, 3);

    @TempDir
    Path directory;

    private static PlacementTarget target(List<Integer> layerIds, int hidden) {
        return new PlacementTarget(
                2, 4, TWO_RANKS, Optional.of(layerIds), OptionalInt.of(hidden), Optional.of("Demo"), Optional.empty());
    }

    private static PlacementTarget silent() {
        return new PlacementTarget(
                2, 4, TWO_RANKS, Optional.empty(), OptionalInt.empty(), Optional.empty(), Optional.empty());
    }

    private static String text(PlacementKind kind, PlacementTarget target) throws IOException {
        return new String(PlacementFiles.make(kind, PLACEMENT, target).bytes(), StandardCharsets.UTF_8);
    }

    @Test
    void sglangHasARowForEveryHiddenLayerAndDenseOnesAreTrivial() throws IOException {
        assertThat(text(PlacementKind.SGLANG, target(List.of(1, 3), 5)))
                .isEqualTo("{\"physical_to_logical_map\": [[0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1],"
                        + " [0, 1, 2, 2, 3, 1], [0, 1, 2, 3, 0, 1]]}");
    }

    @Test
    void trtllmHasTheModelsOwnLayerNumbers() throws IOException {
        assertThat(text(PlacementKind.TRTLLM, target(List.of(3, 4), 5)))
                .isEqualTo("initial_global_assignments:\n  3: [0, 1, 2, 3, 0, 1]\n  4: [0, 1, 2, 2, 3, 1]\n"
                        + "layer_updates_per_iter: 0\nnum_slots: 6\n");
    }

    @Test
    void vllmCountsLayersWithExpertsFromZeroInARecordOfOneLine() throws IOException {
        assertThat(text(PlacementKind.VLLM, silent()))
                .isEqualTo("{\"record_type\": \"eplb_initial_mapping\", \"version\": 1, \"num_redundant_experts\": 2,"
                        + " \"num_slots\": 6, \"initial_global_assignments\": {\"0\": [0, 1, 2, 3, 0, 1],"
                        + " \"1\": [0, 1, 2, 2, 3, 1]}}\n");
    }

    @Test
    void ascendHasTheExpertsOfEveryDevice() throws IOException {
        String text = text(PlacementKind.VLLM_ASCEND, silent()).replaceAll("\\s", "");
        assertThat(text)
                .isEqualTo("{\"moe_layer_count\":2,\"layer_list\":["
                        + "{\"layer_id\":0,\"device_count\":2,\"device_list\":[{\"device_id\":0,\"device_expert\":[0,1,2]},"
                        + "{\"device_id\":1,\"device_expert\":[3,0,1]}]},"
                        + "{\"layer_id\":1,\"device_count\":2,\"device_list\":[{\"device_id\":0,\"device_expert\":[0,1,2]},"
                        + "{\"device_id\":1,\"device_expert\":[2,3,1]}]}]}");
    }

    @Test
    void fastDeployNamesSlotsOfExpertsAndKeepsTheLoadThatItWasMadeOf() throws IOException {
        String ones = text(PlacementKind.FASTDEPLOY, target(List.of(0, 2), 3));
        assertThat(ones)
                .contains("\"tokens_per_expert_stats_list\": [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]")
                .contains("\"expert_id_to_ep_rank_array\": [[[0, 4], [1, 5], [2, -1], [3, -1]],"
                        + " [[0, 4], [1, 5], [2, -1], [3, -1]], [[0, -1], [1, 5], [2, 3], [4, -1]]]")
                .contains("\"expert_in_rank_num_list\": [[2, 2, 1, 1], [2, 2, 1, 1], [1, 2, 2, 1]]");
        PlacementTarget loaded = new PlacementTarget(
                2,
                4,
                TWO_RANKS,
                Optional.of(List.of(0, 2)),
                OptionalInt.of(3),
                Optional.empty(),
                Optional.of(new long[][] {{12, 3, 7, 2}, {11, 4, 6, 3}}));
        assertThat(text(PlacementKind.FASTDEPLOY, loaded))
                .contains("\"tokens_per_expert_stats_list\": [[12, 3, 7, 2], [0, 0, 0, 0], [11, 4, 6, 3]]");
    }

    /** Engines make their maps of these files themselves. LightLLM's cannot hold this one anyway. */
    @ParameterizedTest
    @EnumSource(value = PlacementKind.class, names = "LIGHTLLM", mode = EnumSource.Mode.EXCLUDE)
    void idleSlotsAreInUseInFilesAndThatIsSaid(PlacementKind kind) throws IOException {
        BitSet[] idle = {new BitSet(), BitSet.valueOf(new long[] {0b100010})};
        Placement some = Placement.of(7, PLACEMENT.toArray(), new BitSet[] {BitSet.valueOf(new long[] {0b10000})});

        Written with = PlacementFiles.make(kind, some, target(List.of(0, 1), 2));
        Written without = PlacementFiles.make(kind, PLACEMENT, target(List.of(0, 1), 2));

        assertThat(with.bytes()).isEqualTo(without.bytes());
        assertThat(with.notes())
                .hasSize(without.notes().size() + 1)
                .last()
                .asString()
                .startsWith("1 slots that stand idle");
        assertThatThrownBy(() ->
                        PlacementFiles.make(kind, Placement.of(7, PLACEMENT.toArray(), idle), target(List.of(0, 1), 2)))
                .as("an expert whose slots are all idle cannot be served")
                .hasMessageContaining("no slot in use for expert 1");
    }

    @ParameterizedTest
    @EnumSource(PlacementKind.class)
    void whatIsNotKnownIsAskedForByNameAndNothingIsWritten(PlacementKind kind) {
        Path file = directory.resolve("placement");
        CannotHoldException refused = catchThrowableOfType(
                CannotHoldException.class, () -> PlacementFiles.write(kind.word() + ":" + file, PLACEMENT, silent()));

        String asked = refused == null ? "" : String.join("; ", refused.reasons());
        switch (kind) {
            case SGLANG, FASTDEPLOY -> assertThat(asked).contains("--layer-ids").contains("--hidden-layers");
            case TRTLLM, LIGHTLLM -> assertThat(asked).contains("--layer-ids");
            case HYGON -> assertThat(asked).contains("--model-key");
            case VLLM, VLLM_ASCEND, OMNI, NPY -> assertThat(asked).isEmpty();
        }
        assertThat(Files.exists(file)).isEqualTo(asked.isEmpty());
    }

    @ParameterizedTest
    @EnumSource(PlacementKind.class)
    void placementThatMayNotBeServedIsNotWritten(PlacementKind kind) {
        Placement twice = Placement.of(7, new int[][] {{0, 1, 0, 3, 2, 1}, {0, 1, 2, 2, 3, 1}});
        Placement lost = Placement.of(7, new int[][] {{0, 1, 2, 0, 1, 2}, {0, 1, 2, 2, 3, 1}});

        assertThatThrownBy(() -> PlacementFiles.make(kind, twice, target(List.of(1, 3), 5)))
                .isInstanceOf(CannotHoldException.class)
                .hasMessageContaining("holds expert 0 twice");
        assertThatThrownBy(() -> PlacementFiles.make(kind, lost, target(List.of(1, 3), 5)))
                .hasMessageContaining("has no slot for expert 3");
    }

    @Test
    void lightllmRefusesWhatItsRanksCannotHold() {
        assertThatThrownBy(() -> PlacementFiles.make(PlacementKind.LIGHTLLM, PLACEMENT, target(List.of(1, 3), 5)))
                .isInstanceOf(CannotHoldException.class)
                .hasMessageContaining("does not hold its own experts in order");
    }

    @ParameterizedTest
    @EnumSource(PlacementKind.class)
    void anyPlacementThatMayBeServedComesBack(PlacementKind kind) throws IOException {
        int written = 0;
        for (long seed = 1; seed <= 40; seed++) {
            Random random = new Random(seed);
            int ranks = 1 + random.nextInt(4);
            int slots = 2 + random.nextInt(4);
            int experts = Math.max(slots, ranks * slots - random.nextInt(ranks * 2));
            int layers = 1 + random.nextInt(3);
            Topology topology = Topology.even(ranks, 1, slots);
            int[][] map = IntStream.range(0, layers)
                    .mapToObj(layer -> layer(random, ranks, slots, experts))
                    .toArray(int[][]::new);
            Placement placement = Placement.of(1, map);
            if (!PlacementRules.violations(placement, ModelShape.of("m", experts, 1, 0, layers), topology)
                    .isEmpty()) {
                continue;
            }
            PlacementTarget target = new PlacementTarget(
                    layers,
                    experts,
                    topology,
                    Optional.of(IntStream.range(3, 3 + layers).boxed().toList()),
                    OptionalInt.of(8),
                    Optional.of("m"),
                    Optional.empty());
            try {
                Written file = PlacementFiles.make(kind, placement, target); // reads it back and compares
                assertThat(file.bytes()).as("seed %d", seed).isNotEmpty();
                written++;
            } catch (CannotHoldException e) {
                assertThat(kind).as("seed %d: %s", seed, e.getMessage()).isEqualTo(PlacementKind.LIGHTLLM);
            }
        }
        assertThat(written).isGreaterThan(kind == PlacementKind.LIGHTLLM ? -1 : 10);
    }

    /** Experts in random order, replicas where a rank does not have them yet; sometimes not valid. */
    private static int[] layer(Random random, int ranks, int slots, int experts) {
        List<Integer> all = new ArrayList<>(IntStream.range(0, experts).boxed().toList());
        Collections.shuffle(all, random);
        int[] layer = new int[ranks * slots];
        for (int slot = 0; slot < layer.length; slot++) {
            int rank = slot / slots;
            layer[slot] = slot < all.size() ? all.get(slot) : -1;
            for (int expert = 0; layer[slot] < 0 && expert < experts; expert++) {
                int candidate = all.get((expert + slot) % experts);
                boolean there = IntStream.range(rank * slots, slot).anyMatch(i -> layer[i] == candidate);
                layer[slot] = there ? -1 : candidate;
            }
            layer[slot] = Math.max(0, layer[slot]);
        }
        return layer;
    }

    @Test
    void fileReplacesAnotherWholeAndNothingElseIsLeft() throws IOException {
        Path file = directory.resolve("map.json");
        Files.writeString(file, "old");

        PlacementFiles.write("vllm:" + file, PLACEMENT, silent());

        assertThat(Files.readString(file)).startsWith("{\"record_type\"");
        assertThat(directory.toFile().list()).containsExactly("map.json");
    }

    @Test
    void kindThatThereIsNotIsRefusedWithThoseThatThereAre() {
        assertThatThrownBy(() -> PlacementFiles.Spec.parse("sglan:x"))
                .hasMessageContaining("sglang, trtllm, vllm-ascend, vllm, hygon, fastdeploy");
        assertThatThrownBy(() -> PlacementFiles.Spec.parse("sglang:")).isInstanceOf(IllegalArgumentException.class);
        assertThat(PlacementFiles.Spec.parse("sglang:a:b").path()).isEqualTo(Path.of("a:b"));
    }
}
