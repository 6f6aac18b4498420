package dev.plimsoll.replay.format.sglang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.RecordingFormat;
import dev.plimsoll.replay.format.SharedFormats;
import dev.plimsoll.replay.format.torch.TorchBytes;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SglangDumpsTest {
    /** Two layers of which the first is dense, on two ranks; six slots of four experts. */
    private static final int[] SHAPE = {2, 6};

    private static final long[] MAP = {0, 1, 2, 3, 0, 1, 3, 2, 1, 0, 2, 3};

    private static Input dump(Map<String, byte[]> files) {
        return Input.of("dump", files);
    }

    private static byte[] records(int rank, long[]... layerOne) {
        long[][] counts = Arrays.stream(layerOne)
                .map(row -> Arrays.copyOf(new long[6], 12))
                .toArray(long[][]::new);
        for (int pass = 0; pass < counts.length; pass++) {
            System.arraycopy(layerOne[pass], 0, counts[pass], 6, 6);
        }
        return TorchBytes.records(rank, SHAPE, MAP, counts).file();
    }

    @Test
    void statRowsAreFramesWithoutUnusedRowsAndDenseLayers() throws IOException {
        byte[] file = TorchBytes.stat(
                        new int[] {4, 3, 2}, 0, 0, 1, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 5, 0, 0, 0, 0, 0, 0)
                .file();

        Recording recording = new SglangStat().read(Input.of("a.pt", Map.of("a.pt", file)), Given.NOTHING);

        assertThat(recording.numbering()).isEqualTo(LayerNumbering.ALL_HIDDEN);
        assertThat(recording.layerIds()).containsExactly(1, 2);
        assertThat(recording.hiddenLayers()).hasValue(3);
        assertThat(recording.frames()).extracting(Recording.Frame::step).containsExactly(0L, 2L);
        assertThat(recording.frames().get(0).load()).isDeepEqualTo(new long[][] {{1, 2}, {0, 3}});
        assertThat(recording.frames().get(1).load()).isDeepEqualTo(new long[][] {{4, 0}, {0, 5}});
        assertThat(recording.notes())
                .anyMatch(note -> note.contains("has not wrapped and the order is the order of time"))
                .anyMatch(note -> note.contains("ranks times the real routing"))
                .anyMatch(note -> note.contains("average of mean ÷ max over its window: 0.75"));
    }

    @Test
    void ringWhoseLastRowIsUsedIsNotSaidToBeInOrder() throws IOException {
        byte[] file = TorchBytes.stat(new int[] {2, 1, 2}, 1, 2, 3, 4).file();

        assertThat(new SglangStat()
                        .read(Input.of("a.pt", Map.of("a.pt", file)), Given.NOTHING)
                        .notes())
                .anyMatch(note -> note.contains("the order is not the order of time"));
    }

    @Test
    void layersThatAreNamedAreThoseWithExpertsAndNoneWithLoadIsLost() throws IOException {
        Input input = Input.of(
                "a.pt",
                Map.of(
                        "a.pt",
                        TorchBytes.stat(new int[] {1, 3, 2}, 0, 0, 1, 2, 0, 0).file()));

        assertThat(new SglangStat()
                        .read(input, Given.NOTHING.withLayerIds(List.of(1, 2)))
                        .layerIds())
                .containsExactly(1, 2);
        assertThatThrownBy(() -> new SglangStat().read(input, Given.NOTHING.withLayerIds(List.of(2))))
                .hasMessageContaining("has load in layers 1, which --layer-ids leaves out");
    }

    @Test
    void emptyDumpIsRefused() {
        byte[] file = TorchBytes.stat(new int[] {2, 1, 2}, 0, 0, 0, 0).file();

        assertThatThrownBy(() -> new SglangStat().read(Input.of("a.pt", Map.of("a.pt", file)), Given.NOTHING))
                .hasMessageContaining("has no load in any row");
    }

    @Test
    void ranksAreAddedUpByPassAndSlotsAreExpertsByTheMap() throws IOException {
        Input input = dump(Map.of(
                "x_0.pt", records(0, new long[] {1, 2, 3, 4, 5, 6}, new long[] {1, 0, 0, 0, 0, 0}),
                "x_1.pt", records(1, new long[] {10, 0, 0, 0, 0, 0}, new long[] {0, 0, 0, 0, 0, 7})));

        Recording recording = SglangRecords.PER_PASS.read(input, Given.NOTHING);

        assertThat(recording.ranks()).isEqualTo(OptionalInt.of(2));
        assertThat(recording.layerIds()).containsExactly(1);
        assertThat(recording.frames()).extracting(Recording.Frame::step).containsExactly(7L, 8L);
        // Slots of the layer hold 3 2 1 0 2 3.
        assertThat(recording.frames().get(0).load()).isDeepEqualTo(new long[][] {{4, 3, 2 + 5, 11 + 6}});
        assertThat(recording.frames().get(0).slotLoad().orElseThrow())
                .isDeepEqualTo(new long[][] {{11, 2, 3, 4, 5, 6}});
        assertThat(recording.frames().get(1).load()).isDeepEqualTo(new long[][] {{0, 0, 0, 8}});
        assertThat(recording.maps()).containsExactly(ExpertMap.ofSlots(new int[][] {{3, 2, 1, 0, 2, 3}}, 2));
    }

    @Test
    void passThatARankDidNotRecordIsLeftOutAndSaid() throws IOException {
        Input input = dump(Map.of(
                "x_0.pt", records(0, new long[] {1, 2, 3, 4, 5, 6}, new long[] {1, 0, 0, 0, 0, 0}),
                "x_1.pt", records(1, new long[] {10, 0, 0, 0, 0, 0})));

        Recording recording = SglangRecords.PER_PASS.read(input, Given.NOTHING);

        assertThat(recording.frames()).hasSize(1);
        assertThat(recording.notes()).contains("1 passes are left out: not all ranks recorded them");
    }

    @Test
    void dumpThatLacksARankIsRefused() {
        byte[] zero = records(0, new long[] {1, 2, 3, 4, 5, 6});
        byte[] two = records(2, new long[] {1, 2, 3, 4, 5, 6});

        assertThatThrownBy(() -> SglangRecords.PER_PASS.read(dump(Map.of("x.pt", zero, "y.pt", two)), Given.NOTHING))
                .hasMessageContaining("has files of ranks [0, 2]");
        assertThatThrownBy(() -> SglangRecords.PER_PASS.read(dump(Map.of("x.pt", zero, "y.pt", zero)), Given.NOTHING))
                .hasMessageContaining("y.pt at byte 0: is of rank 0, and so is x.pt");
        assertThatThrownBy(() -> SglangRecords.PER_PASS.read(Input.of("x.pt", Map.of("x.pt", zero)), Given.NOTHING))
                .hasMessageContaining("name the directory with one file per rank, or --ranks 1");
        assertThatThrownBy(() -> SglangRecords.PER_PASS.read(
                        dump(Map.of("x.pt", zero, "y.pt", records(1, new long[6]))), Given.NOTHING.withRanks(4)))
                .hasMessageContaining("is of 2 ranks, --ranks is 4");
    }

    @Test
    void whatTokensChoseIsHeldAgainstTheCounts() throws IOException {
        long[] counts = {0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0};
        byte[] right = TorchBytes.records(
                        0, SHAPE, MAP, new long[][] {counts}, new long[][] {{-1, -1, -1, -1, 0, 1, 1, 2}})
                .file();
        byte[] other = TorchBytes.records(
                        0, SHAPE, MAP, new long[][] {counts}, new long[][] {{-1, -1, -1, -1, 0, 1, 1, -1}})
                .file();

        Recording recording = SglangRecords.PER_TOKEN.read(dump(Map.of("x.pt", right)), Given.NOTHING.withRanks(1));

        assertThat(recording.topK()).hasValue(2);
        assertThat(recording.notes()).anyMatch(note -> note.contains("adds up to the counts, pass by pass"));
        assertThat(SglangRecords.PER_TOKEN
                        .read(dump(Map.of("x.pt", other)), Given.NOTHING.withRanks(1))
                        .notes())
                .anyMatch(note -> note.contains("in 1 passes what tokens chose does not add up"));
    }

    @Test
    void mapAloneNeedsRanksAndLayers() throws IOException {
        Input input = Input.of(
                "m.pt",
                Map.of(
                        "m.pt",
                        TorchBytes.begun()
                                .op('}')
                                .text("physical_to_logical_map")
                                .tensor(dev.plimsoll.replay.format.array.NumberType.INT64, SHAPE, MAP)
                                .ascii("s.")
                                .file()));

        assertThatThrownBy(() -> new SglangMapPt().read(input, Given.NOTHING))
                .hasMessageContaining("--ranks is needed");
        assertThatThrownBy(() -> new SglangMapPt().read(input, Given.NOTHING.withRanks(2)))
                .hasMessageContaining("--layer-ids");
        assertThatThrownBy(() ->
                        new SglangMapPt().read(input, Given.NOTHING.withRanks(4).withLayerIds(List.of(1))))
                .hasMessageContaining("has 6 slots, which 4 ranks cannot share evenly");
        assertThat(new SglangMapPt()
                        .read(input, Given.NOTHING.withRanks(2).withLayerIds(List.of(1)))
                        .maps())
                .containsExactly(ExpertMap.ofSlots(new int[][] {{3, 2, 1, 0, 2, 3}}, 2));
    }

    @Test
    void writtenDumpsSayTheSameWhenReadAgain() throws IOException {
        Input input = dump(Map.of(
                "x_0.pt", records(0, new long[] {1, 2, 3, 4, 5, 6}, new long[] {1, 0, 0, 0, 0, 0}),
                "x_1.pt", records(1, new long[] {10, 0, 0, 0, 0, 0}, new long[] {0, 0, 0, 0, 0, 7})));
        Recording recording = SglangRecords.PER_PASS.read(input, Given.NOTHING);

        byte[] stat = new SglangStat().write(recording, Given.NOTHING).bytes();
        byte[] map = new SglangMapPt().write(recording, Given.NOTHING).bytes();

        assertThat(new SglangStat()
                        .read(Input.of("a.pt", Map.of("a.pt", stat)), Given.NOTHING)
                        .totals())
                .isDeepEqualTo(recording.totals());
        assertThat(new SglangMapPt()
                        .read(
                                Input.of("a.pt", Map.of("a.pt", map)),
                                Given.NOTHING.withRanks(2).withLayerIds(List.of(1)))
                        .maps())
                .isEqualTo(recording.maps());
    }

    // What SGLang's own code wrote.

    @ParameterizedTest
    @CsvSource({
        "stat/expert_distribution_recorder_1795956088.8384273.pt",
        "stat_cuda/expert_distribution_recorder_1795956175.5677066.pt",
        "stat_approx/expert_distribution_recorder_1795956175.2429695.pt"
    })
    void statDumpOfTheEngineSaysWhatIsTrue(String name) throws IOException {
        Input input = SharedFormats.input("sglang/" + name);
        JsonNode truth = SharedFormats.truth("sglang/" + name);

        RecordingFormat format = Formats.detect(input);
        Recording recording = format.read(input, Given.NOTHING.withRanks(2));

        assertThat(format).isInstanceOf(SglangStat.class);
        SharedFormats.assertSums(recording, truth);
        assertThat(recording.frames()).hasSize(truth.get("live_rows").intValue());
        assertThat(recording.layerIds()).containsExactly(1, 2, 3);
        ExpertMap start = SharedFormats.startMap(3, 8, 10, 2);
        SharedFormats.assertBalance(recording.totals(), start, truth.get("balance"));
        assertThat(SharedFormats.balancePerPass(recording, start))
                .isCloseTo(truth.get("b_per_pass").doubleValue(), within(1e-6));
    }

    @ParameterizedTest
    @CsvSource({"per_pass, sglang-per-pass, 5", "per_token, sglang-per-token, 3"})
    void recordsOfTheEngineSayWhatIsTrue(String name, String format, int passes) throws IOException {
        Input input = SharedFormats.input("sglang/" + name);
        JsonNode truth = SharedFormats.truth("sglang/" + name + "/*_<rank>.pt");

        Recording recording = Formats.read(input, Given.NOTHING, Optional.empty());

        assertThat(recording.format()).isEqualTo(format);
        SharedFormats.assertSums(recording, truth);
        assertThat(recording.frames()).hasSize(passes);
        assertThat(recording.frames().get(0).step())
                .isEqualTo(truth.get("first_pass").longValue());
        assertThat(recording.topK()).isEqualTo(name.equals("per_token") ? OptionalInt.of(2) : OptionalInt.empty());
        ExpertMap map = recording.maps().get(0);
        assertThat(map.twiceOnARank()).isZero();
        SharedFormats.assertBalance(recording.totals(), map, truth.get("balance"));
        assertThat(SharedFormats.balancePerPass(recording, map))
                .isCloseTo(truth.get("b_per_pass").doubleValue(), within(1e-6));
        SharedFormats.assertPhysical(recording, truth.get("physical_b"));
    }

    @Test
    void statDumpWrittenAgainHasTheSamePickleAndCounts() throws IOException {
        String name = "expert_distribution_recorder_1795956088.8384273.pt";
        Input input = SharedFormats.input("sglang/stat/" + name);
        Recording recording = new SglangStat().read(input, Given.NOTHING);

        byte[] written = new SglangStat().write(recording, Given.NOTHING).bytes();

        // 12 rows that are used instead of 16, and so 384 numbers instead of 512; all else of the pickle is the
        // engine's own.
        Map<String, byte[]> ours = entries(written);
        Map<String, byte[]> theirs = entries(input.bytes(name));
        assertThat(ours.get("data/0"))
                .isEqualTo(Arrays.copyOf(Objects.requireNonNull(theirs.get("data/0")), 12 * 4 * 8 * 4));
        byte[] pickle = Objects.requireNonNull(theirs.get("data.pkl")).clone();
        assertThat(pickle[128]).isEqualTo((byte) 'M');
        pickle[129] = (byte) 384;
        pickle[130] = 384 >> 8;
        pickle[138] = 12;
        assertThat(ours.get("data.pkl")).isEqualTo(pickle);
    }

    private static Map<String, byte[]> entries(byte[] zip) throws IOException {
        Map<String, byte[]> entries = new TreeMap<>();
        java.nio.file.Path file = java.nio.file.Files.createTempFile("dump", ".pt");
        try {
            java.nio.file.Files.write(file, zip);
            try (java.util.zip.ZipFile opened = new java.util.zip.ZipFile(file.toFile())) {
                for (var entry : java.util.Collections.list(opened.entries())) {
                    entries.put(
                            entry.getName().substring(entry.getName().indexOf('/') + 1),
                            opened.getInputStream(entry).readAllBytes());
                }
            }
        } finally {
            java.nio.file.Files.delete(file);
        }
        return entries;
    }
}
