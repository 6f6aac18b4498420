package dev.plimsoll.replay.format.trtllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.SharedFormats;
import dev.plimsoll.replay.format.Written;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.safetensors.Safetensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrtllmStatisticsTest {
    private static final TrtllmStatistics FORMAT = new TrtllmStatistics();
    private static final String META = "{\"num_experts\": 3, \"num_experts_per_token\": 2, \"other\": {\"a\": [1]}}";

    private static byte[] counts(Map<String, long[]> arrays) {
        Map<String, Safetensors.Tensor> tensors = new TreeMap<>();
        arrays.forEach((key, counts) ->
                tensors.put(key, new Safetensors.Tensor(NumberType.INT64, List.of(counts.length), counts)));
        return Safetensors.write(tensors);
    }

    private static Map<String, byte[]> files() {
        return new TreeMap<>(Map.of(
                "meta_info.json", META.getBytes(StandardCharsets.UTF_8),
                "rank0.safetensors",
                        counts(Map.of(
                                "8_3",
                                new long[] {1, 2, 3},
                                "8_10",
                                new long[] {0, 0, 6},
                                "9_3",
                                new long[] {4, 0, 0},
                                "9_10",
                                new long[] {0, 4, 0})),
                "rank1.safetensors",
                        counts(Map.of(
                                "8_3",
                                new long[] {10, 0, 0},
                                "8_10",
                                new long[] {0, 10, 0},
                                "9_3",
                                new long[] {0, 0, 1},
                                "9_10",
                                new long[] {1, 0, 0}))));
    }

    private static Recording read(Map<String, byte[]> files) throws IOException {
        return FORMAT.read(Input.of("statistics", files), Given.NOTHING);
    }

    @Test
    void ranksAreAddedUpByIterationAndLayersKeepTheirNumbers() throws IOException {
        Recording recording = read(files());

        assertThat(recording.numbering()).isEqualTo(LayerNumbering.ABSOLUTE);
        assertThat(recording.layerIds()).containsExactly(3, 10);
        assertThat(recording.ranks()).hasValue(2);
        assertThat(recording.topK()).hasValue(2);
        assertThat(recording.frames()).extracting(Recording.Frame::step).containsExactly(8L, 9L);
        assertThat(recording.frames().get(0).load()).isDeepEqualTo(new long[][] {{11, 2, 3}, {0, 10, 6}});
        assertThat(recording.frames().get(1).load()).isDeepEqualTo(new long[][] {{4, 0, 1}, {1, 4, 0}});
    }

    @Test
    void ranksThatAreMissingOrDifferAreRefused() {
        Map<String, byte[]> gap = files();
        gap.put("rank3.safetensors", gap.get("rank1.safetensors"));
        Map<String, byte[]> other = files();
        other.put("rank1.safetensors", counts(Map.of("8_3", new long[] {1, 2, 3})));
        Map<String, byte[]> wide = files();
        wide.put("rank0.safetensors", counts(Map.of("8_3", new long[] {1, 2, 3, 4})));
        Map<String, byte[]> half = files();
        half.keySet().removeIf(name -> name.equals("rank1.safetensors"));
        half.put("rank0.safetensors", counts(Map.of("8_3", new long[] {1, 2, 3}, "9_10", new long[] {1, 2, 3})));
        Map<String, byte[]> named = files();
        named.put("rank0.safetensors", counts(Map.of("layer_3", new long[] {1, 2, 3})));

        assertThatThrownBy(() -> read(gap)).hasMessageContaining("files of ranks [0, 1, 3]");
        assertThatThrownBy(() -> read(other)).hasMessageContaining("not those of rank0.safetensors");
        assertThatThrownBy(() -> read(wide)).hasMessageContaining("is of shape [4], and meta_info.json says 3 experts");
        assertThatThrownBy(() -> read(half)).hasMessageContaining("every layer of every iteration is needed");
        assertThatThrownBy(() -> read(named)).hasMessageContaining("needs <iteration>_<layer>");
        assertThatThrownBy(() -> FORMAT.read(Input.of("s", files()), Given.NOTHING.withRanks(8)))
                .hasMessageContaining("is of 2 ranks, --ranks is 8");
        assertThatThrownBy(() -> FORMAT.read(Input.of("s", files()), Given.NOTHING.withLayerIds(List.of(3, 4))))
                .hasMessageContaining("--layer-ids names 3, 4");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{",
                "{\"num_experts\": 3}",
                "{\"num_experts\": 3, \"num_experts_per_token\": 0}",
                "{\"num_experts\": 3, \"num_experts\": 3, \"num_experts_per_token\": 2}",
                "{\"num_experts\": 99999999999, \"num_experts_per_token\": 2}",
                "{\"num_experts\": 3.5, \"num_experts_per_token\": 2}",
                "{\"num_experts\": 3, \"num_experts_per_token\": 2} x",
                "{\"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
            })
    void metaThatSaysNothingIsRefused(String meta) {
        Map<String, byte[]> files = files();
        files.put("meta_info.json", meta.getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() -> read(files)).hasMessageContaining("meta_info.json at byte");
    }

    @Test
    void gapsBetweenIterationsAreSaid() throws IOException {
        Map<String, byte[]> files = files();
        files.remove("rank1.safetensors");
        files.put("rank0.safetensors", counts(Map.of("8_3", new long[] {1, 2, 3}, "12_3", new long[] {1, 2, 3})));

        assertThat(read(files).notes())
                .anyMatch(note -> note.startsWith("3 iterations between the first and the last"));
    }

    @Test
    void rawFilesAreHeldAgainstTheCounts() throws IOException {
        Map<String, byte[]> files = files();
        files.remove("rank1.safetensors");
        files.put("rank0.safetensors", counts(Map.of("8_3", new long[] {1, 2, 1})));
        files.put("rank0_raw.safetensors", raw(0, 1, 1, 2));
        Map<String, byte[]> wrong = new TreeMap<>(files);
        wrong.put("rank0_raw.safetensors", raw(0, 1, 2, 2));

        assertThat(read(files).notes()).anyMatch(note -> note.contains("is what the counts say"));
        assertThat(read(wrong).notes()).anyMatch(note -> note.startsWith("in 1 arrays of the raw files"));
    }

    private static byte[] raw(long... chosen) {
        return Safetensors.write(Map.of("8_3", new Safetensors.Tensor(NumberType.INT32, List.of(2, 2), chosen)));
    }

    @Test
    void writtenDirectorySaysTheSameWhenReadAgain() throws IOException {
        Recording recording = read(files());

        Written written = FORMAT.write(recording, Given.NOTHING);

        assertThat(written.files().keySet())
                .containsExactly("meta_info.json", "rank0.safetensors", "rank1.safetensors");
        Recording again = FORMAT.read(Input.of("statistics", written.files()), Given.NOTHING);
        assertThat(again).usingRecursiveComparison().isEqualTo(recording);
        assertThat(written.notes()).anyMatch(note -> note.contains("all counts are in the file of rank 0"));
    }

    @Test
    void whatTheFormatNeedsIsAskedForAtOnce() {
        Recording recording = new Recording(
                "here",
                "test",
                LayerNumbering.MOE_ONLY,
                List.of(0),
                3,
                OptionalInt.empty(),
                OptionalInt.empty(),
                List.of(new Recording.Frame(5, 0, Recording.NO_MAP, new long[][] {{1, 2, 3}})),
                List.of(),
                List.of());

        assertThatThrownBy(() -> FORMAT.write(recording, Given.NOTHING))
                .isInstanceOf(CannotHoldException.class)
                .hasMessageContaining("--layer-ids")
                .hasMessageContaining("--ranks")
                .hasMessageContaining("--top-k");
    }

    @ParameterizedTest
    @CsvSource({"expert_statistic, 4, true", "expert_statistic_main, 3, false"})
    void directoryOfTheEngineSaysWhatIsTrue(String name, int iterations, boolean raw) throws IOException {
        Input input = SharedFormats.input("trtllm/" + name);
        JsonNode truth = SharedFormats.truth("trtllm/" + name + "/");

        Recording recording = Formats.read(input, Given.NOTHING, Optional.empty());

        SharedFormats.assertSums(recording, truth);
        assertThat(recording.layerIds()).containsExactly(3, 4, 5);
        assertThat(recording.frames()).hasSize(iterations);
        assertThat(recording.frames().get(0).step()).isEqualTo(50);
        assertThat(recording.topK()).hasValue(2);
        ExpertMap start = SharedFormats.startMap(3, 8, 8, 4);
        SharedFormats.assertBalance(recording.totals(), start, truth.get("balance"));
        if (raw) {
            assertThat(SharedFormats.balancePerPass(recording, start))
                    .isCloseTo(truth.get("b_per_iter").doubleValue(), within(1e-6));
            assertThat(recording.notes()).anyMatch(note -> note.contains("in 4 raw files, is what the counts say"));
        }
        Written again = FORMAT.write(recording, Given.NOTHING);
        assertThat(again.files().get("meta_info.json")).isEqualTo(input.bytes("meta_info.json"));
        assertThat(FORMAT.read(Input.of(input.name(), again.files()), Given.NOTHING)
                        .totals())
                .isDeepEqualTo(recording.totals());
    }
}
