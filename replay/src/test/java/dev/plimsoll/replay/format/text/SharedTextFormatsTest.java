package dev.plimsoll.replay.format.text;

import static dev.plimsoll.replay.format.SharedFormats.assertBalance;
import static dev.plimsoll.replay.format.SharedFormats.assertSums;
import static dev.plimsoll.replay.format.SharedFormats.startMap;
import static dev.plimsoll.replay.format.SharedFormats.sum;
import static dev.plimsoll.replay.format.SharedFormats.truth;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.PeerBalance;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.SharedFormats;
import dev.plimsoll.replay.format.WritableFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that engines' own code wrote, against the sums and balancedness that their manifest says. */
class SharedTextFormatsTest {
    private static Recording read(String file, Given given) throws IOException {
        return Formats.read(SharedFormats.path(file), given, Optional.empty());
    }

    private static ExpertMap onlyMap(Recording recording) {
        assertThat(recording.maps()).hasSize(1);
        return recording.maps().get(0);
    }

    @ParameterizedTest
    @CsvSource({
        "sglang/init_physical_to_logical_map.json, sglang-map",
        "sglang/init_logical_count.json, sglang-count",
        "vllm/eplb_stats.jsonl, vllm-records",
        "vllm/initial_mapping.json, vllm-mapping",
        "vllm/toy-moe_expert_load.json, vllm-benchmark",
        "vllm/hygon_v1.json, hygon",
        "vllm/eplb.log, vllm-log",
        "ascend/expert_map.json, vllm-ascend-map",
        "ascend/expert_map_redundant.json, vllm-ascend-map",
        "fastdeploy/redundant_expert_meta/rearrange-experts.json, fastdeploy-workload",
        "fastdeploy/redundant_expert_meta_at_start/rearrange-experts.json, fastdeploy-workload",
        "fastdeploy/get_per_expert_tokens_stats.json, fastdeploy-stats",
        "lightllm/redundancy_expert_config.json, lightllm",
        "trtllm/moe_load_balancer.yaml, trtllm-yaml"
    })
    void formatIsToldByContent(String file, String format) throws IOException {
        assertThat(Formats.detect(SharedFormats.input(file)).name()).isEqualTo(format);
    }

    @Test
    void sglangCountsAndMapAgreeWithTheManifest() throws IOException {
        Recording load = read("sglang/init_logical_count.json", Given.NOTHING);
        JsonNode truth = truth("sglang/init_logical_count.json");

        assertThat(load.numbering()).isEqualTo(LayerNumbering.ALL_HIDDEN);
        assertThat(load.layerIds()).containsExactly(1, 2, 3);
        assertThat(load.hiddenLayers()).hasValue(4);
        assertThat(load.frames().get(0).total()).isEqualTo(2592);
        assertThat(load.notes()).anyMatch(note -> note.contains("rows left out: 0"));
        assertBalance(sum(load), startMap(3, 8, 10, 2), truth.get("balance_trivial"));
        PeerBalance balance = PeerBalance.of(load.totals(), startMap(3, 8, 10, 2));
        assertThat(balance.balancedness()).isCloseTo(0.781539, within(1e-6));
        assertThat(balance.par()).isCloseTo(1.28125, within(1e-6));
        assertThat(balance.imbalanceRatio()).isCloseTo(0.28125, within(1e-6));
        assertThat(balance.summed()).isCloseTo(0.780488, within(1e-6));

        String file = "sglang/init_physical_to_logical_map.json";
        assertThatThrownBy(() -> read(file, Given.NOTHING.withRanks(2)))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("--layer-ids");
        assertThatThrownBy(() -> read(file, Given.NOTHING.withLayerIds(List.of(1, 2, 3))))
                .hasMessageContaining("--ranks");
        Recording map = read(file, Given.NOTHING.withRanks(2).withLayerIds(List.of(1, 2, 3)));
        assertThat(onlyMap(map).twiceOnARank()).isZero();
        assertBalance(sum(load), onlyMap(map), truth(file).get("balance_of_init_logical_count"));
    }

    @Test
    void vllmRecordsAreFoldedUnderTheMapOfEachRecord() throws IOException {
        Recording recording = read("vllm/eplb_stats.jsonl", Given.NOTHING);
        JsonNode truth = truth("vllm/eplb_stats.jsonl");

        assertSums(recording, truth);
        assertThat(recording.frames()).hasSize(9);
        assertThat(recording.maps()).hasSize(3);
        assertThat(recording.maps().get(0)).isEqualTo(startMap(3, 8, 10, 2));
        assertThat(recording.frames().stream().map(Recording.Frame::map)).containsExactly(0, 1, 1, 1, 1, 2, 2, 2, 2);
        assertThat(recording.frames().stream().map(Recording.Frame::step))
                .containsExactly(15L, 20L, 25L, 30L, 35L, 40L, 45L, 50L, 55L);
        assertThat(recording.numbering()).isEqualTo(LayerNumbering.MOE_ONLY);
        assertThat(recording.ranks()).hasValue(2);
        assertBalance(sum(recording), recording.maps().get(0), truth.get("balance_initial_map"));
        assertThat(recording.frames().stream()
                        .mapToDouble(
                                frame -> PeerBalance.ofSlots(frame.slotLoad().orElseThrow(), 2)
                                        .balancedness())
                        .average()
                        .orElseThrow())
                .isCloseTo(truth.get("b_physical_mean_over_records").doubleValue(), within(1e-6));
        assertThat(recording.notes()).anyMatch(note -> note.contains("bench_run_start"));
    }

    @ParameterizedTest
    @CsvSource({"vllm/hygon_v1.json", "vllm/initial_mapping.json"})
    void vllmMapsBalanceTheRecordsAsTheManifestSays(String file) throws IOException {
        Recording map = read(file, Given.NOTHING.withRanks(2));

        assertThat(onlyMap(map).twiceOnARank()).isEqualTo(1);
        assertThat(map.experts()).isEqualTo(8);
        assertBalance(
                sum(read("vllm/eplb_stats.jsonl", Given.NOTHING)),
                onlyMap(map),
                truth(file).get("balance_of_jsonl_total"));
    }

    @Test
    void benchmarkWindowsThatMaySpanAChangeOfMapAreSaidAndLeftOut() throws IOException {
        Recording recording = read("vllm/toy-moe_expert_load.json", Given.NOTHING);
        JsonNode truth = truth("vllm/toy-moe_expert_load.json");

        assertThat(recording.maps()).hasSize(2);
        assertThat(recording.frames().stream().map(Recording.Frame::step)).containsExactly(20L, 40L);
        assertThat(recording.frames()).allMatch(frame -> frame.total() == 1248 && frame.passes() == 8);
        assertThat(PeerBalance.ofSlots(recording.frames().get(1).slotLoad().orElseThrow(), 2)
                        .balancedness())
                .isCloseTo(truth.get("b_of_each_window").get(3).doubleValue(), within(1e-6));
        assertThat(recording.notes())
                .anyMatch(
                        note -> note.contains("at step 10 (1248 tokens, balancedness over slots as counted 0.877797)"))
                .anyMatch(
                        note -> note.contains("at step 30 (1248 tokens, balancedness over slots as counted 0.973769)"));
    }

    @Test
    void vllmLogIsRecognisedAndRefusedWithTheReason() {
        assertThatThrownBy(() -> read("vllm/eplb.log", Given.NOTHING))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("no load of experts")
                .hasMessageContaining("expert_load_stats_path");
    }

    @ParameterizedTest
    @CsvSource({"ascend/expert_map.json", "ascend/expert_map_redundant.json"})
    void ascendMapsBalanceTheirLoadAsTheManifestSays(String file) throws IOException {
        JsonNode truth = truth(file);
        Recording recording = read(file, Given.NOTHING);
        long[][] load = new ObjectMapper().treeToValue(truth.get("load"), long[][].class);

        assertThat(recording.experts()).isEqualTo(8);
        assertThat(recording.ranks()).hasValue(2);
        assertBalance(load, onlyMap(recording), truth.get("balance_of_that_load_here"));
        assertBalance(load, startMap(3, 8, onlyMap(recording).slots(0), 2), truth.get("balance_of_that_load_at_start"));
    }

    @Test
    void fastDeployWorkloadIsLoadAndTheMapMadeOfIt() throws IOException {
        String file = "fastdeploy/redundant_expert_meta/rearrange-experts.json";
        Recording recording = read(file, Given.NOTHING.withRanks(4));
        JsonNode truth = truth(file);

        assertThat(recording.layerIds()).containsExactly(1, 2, 3);
        assertThat(recording.frames().get(0).total())
                .isEqualTo(truth.get("total").longValue());
        assertThat(recording.frames().get(0).map()).isEqualTo(Recording.NO_MAP);
        assertThat(onlyMap(recording).twiceOnARank()).isEqualTo(3);
        assertBalance(sum(recording), onlyMap(recording), truth.get("balance"));
        assertBalance(sum(recording), startMap(3, 8, 12, 4), truth.get("balance_under_start_map"));

        Recording answer = read("fastdeploy/get_per_expert_tokens_stats.json", Given.NOTHING);
        assertThat(sum(answer)).isDeepEqualTo(sum(recording));
    }

    @Test
    void fastDeployFileOfTheStartIsNoTraffic() throws IOException {
        String file = "fastdeploy/redundant_expert_meta_at_start/rearrange-experts.json";

        assertThatThrownBy(() -> read(file, Given.NOTHING.withRanks(4))).hasMessageContaining("--layer-ids");
        Recording recording = read(file, Given.NOTHING.withRanks(4).withLayerIds(List.of(1, 2, 3)));
        assertThat(recording.frames()).isEmpty();
        assertThat(recording.notes()).anyMatch(note -> note.contains("no traffic"));
        assertThat(onlyMap(recording)).isEqualTo(startMap(3, 8, 12, 4));
    }

    @Test
    void lightllmExtrasExpandBesideTheOwnExpertsOfEachRank() throws IOException {
        String file = "lightllm/redundancy_expert_config.json";
        JsonNode truth = truth(file);

        assertThatThrownBy(() -> read(file, Given.NOTHING)).hasMessageContaining("--ranks and --experts are needed");
        Recording recording = read(file, Given.NOTHING.withRanks(2).withExperts(8));
        assertThat(recording.numbering()).isEqualTo(LayerNumbering.ABSOLUTE);
        assertThat(recording.layerIds()).containsExactly(1, 2, 3);
        ExpertMap map = onlyMap(recording);
        assertThat(map.rank(0, 0)).containsExactly(0, 1, 2, 3, 2);
        assertThat(map.rank(0, 1)).containsExactly(4, 5, 6, 7, 2);
        assertThat(map.twiceOnARank()).isEqualTo(3);
        long[][] all = new ObjectMapper().treeToValue(truth.get("load"), long[][].class);
        long[][] load = all.length == 4 ? java.util.Arrays.copyOfRange(all, 1, 4) : all;
        assertBalance(load, map, truth.get("balance_even_split"));
    }

    @Test
    void trtllmYamlBalancesItsStatisticsAsTheManifestSays() throws IOException {
        String file = "trtllm/moe_load_balancer.yaml";
        assertThatThrownBy(() -> read(file, Given.NOTHING)).hasMessageContaining("--ranks");
        Recording recording = read(file, Given.NOTHING.withRanks(4));
        JsonNode truth = truth(file);
        long[][] load = new ObjectMapper()
                .treeToValue(truth("trtllm/expert_statistic/").get("per_layer_expert_sum"), long[][].class);

        assertThat(recording.layerIds()).containsExactly(3, 4, 5);
        assertThat(onlyMap(recording).twiceOnARank()).isEqualTo(4);
        assertBalance(load, onlyMap(recording), truth.get("balance"));
    }

    /** Read and written again: what comes back to the byte. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sglang/init_logical_count.json | 0",
                "sglang/init_physical_to_logical_map.json | 2",
                "vllm/initial_mapping.json | 2",
                "vllm/hygon_v1.json | 2",
                "ascend/expert_map.json | 0",
                "ascend/expert_map_redundant.json | 0",
                "lightllm/redundancy_expert_config.json | 2",
                "trtllm/moe_load_balancer.yaml | 4"
            })
    void writtenAgainItIsTheSameBytes(String file, int ranks) throws IOException {
        Given given = given(file, ranks);
        Recording recording = read(file, given);
        WritableFormat format =
                (WritableFormat) Formats.named(recording.format()).orElseThrow();

        String written = new String(format.write(recording, given).bytes(), StandardCharsets.UTF_8);

        String there = Files.readString(SharedFormats.path(file));
        if (file.contains("hygon")) { // names the model's class, which the recording does not keep
            there = there.replace("\"ToyMoE\"", "\"toy-moe\"");
        }
        assertThat(written.strip()).isEqualTo(there.strip());
    }

    private static Given given(String file, int ranks) {
        Given given = ranks > 0 ? Given.NOTHING.withRanks(ranks) : Given.NOTHING;
        given = file.contains("init_physical") ? given.withLayerIds(List.of(1, 2, 3)) : given;
        given = file.contains("lightllm") ? given.withExperts(8) : given;
        return file.contains("hygon") ? given.withModelKey("toy-moe") : given;
    }

    @Test
    void whatComesBackOtherwiseComesBackWithTheSameContent() throws IOException {
        Map<String, Given> files = Map.of(
                "vllm/eplb_stats.jsonl", Given.NOTHING,
                "fastdeploy/redundant_expert_meta/rearrange-experts.json", Given.NOTHING.withRanks(4),
                "fastdeploy/get_per_expert_tokens_stats.json", Given.NOTHING);
        List<String> read = new ArrayList<>();
        for (Map.Entry<String, Given> file : files.entrySet()) {
            Recording recording = read(file.getKey(), file.getValue());
            WritableFormat format =
                    (WritableFormat) Formats.named(recording.format()).orElseThrow();
            byte[] written = format.write(recording, file.getValue()).bytes();
            Recording back = format.read(
                    dev.plimsoll.replay.format.Input.of("again", Map.of("again", written)), file.getValue());
            assertThat(sum(back)).isDeepEqualTo(sum(recording));
            assertThat(back.maps()).isEqualTo(recording.maps());
            assertThat(back.layerIds()).isEqualTo(recording.layerIds());
            read.add(file.getKey());
        }
        assertThat(read).hasSize(3);
    }
}
