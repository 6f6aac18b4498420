package dev.plimsoll.replay.format.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.RecordingFormat;
import dev.plimsoll.replay.format.WritableFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What each format says of small files, layer by layer and expert by expert. */
class TextFormatsTest {
    private static final ExpertMap MAP = ExpertMap.ofSlots(Fixtures.MAP, 2);

    private static Recording read(Fixtures fixture) throws IOException {
        return read(fixture, fixture.text(), fixture.given());
    }

    private static Recording read(Fixtures fixture, String text, Given given) throws IOException {
        RecordingFormat format = TextFormats.ALL.stream()
                .filter(candidate -> candidate.name().equals(fixture.format()))
                .findFirst()
                .orElseThrow();
        return format.read(Input.of("f", Map.of("f", text.getBytes(StandardCharsets.UTF_8))), given);
    }

    private static String written(WritableFormat format, Recording recording, Given given) throws IOException {
        return new String(format.write(recording, given).bytes(), StandardCharsets.UTF_8);
    }

    @Test
    void rowsOfHiddenLayersWithoutLoadAreLeftOut() throws IOException {
        Recording read = read(Fixtures.SGLANG_COUNT);

        assertThat(read.numbering()).isEqualTo(LayerNumbering.ALL_HIDDEN);
        assertThat(read.layerIds()).containsExactly(1, 2);
        assertThat(read.hiddenLayers()).hasValue(3);
        assertThat(read.frames()).hasSize(2);
        assertThat(read.frames().get(1).load()).isDeepEqualTo(new long[][] {{7, 0, 3, 2}, {0, 3, 6, 3}});
        assertThat(read.totals()).isDeepEqualTo(Fixtures.LOAD);
        assertThat(read.notes()).anyMatch(note -> note.contains("rows left out: 0"));
    }

    @Test
    void mapOfHiddenLayersIsOfTheLayersThatWereNamed() throws IOException {
        Recording read = read(Fixtures.SGLANG_MAP);

        assertThat(read.layerIds()).containsExactly(1, 2);
        assertThat(read.maps()).containsExactly(MAP);
        assertThat(read.experts()).isEqualTo(4);
        assertThat(written(TextFormats.SGLANG_MAP, read, Fixtures.SGLANG_MAP.given()))
                .isEqualTo(Fixtures.SGLANG_MAP.text());
    }

    @Test
    void slotsOfRecordsAreAddedUpUnderTheMapOfTheirOwnRecord() throws IOException {
        Recording read = read(Fixtures.VLLM_RECORDS);

        assertThat(read.totals()).isDeepEqualTo(new long[][] {{12, 3, 7, 2}, {11, 4, 6, 3}});
        assertThat(read.maps()).hasSize(2);
        assertThat(read.maps().get(1)).isEqualTo(MAP);
        assertThat(read.frames().stream().map(Recording.Frame::map)).containsExactly(0, 1);
        assertThat(read.frames().get(0).slotLoad().map(slots -> slots[0][4])).isEqualTo(Optional.of(3L));
        assertThat(read.notes()).contains("records of type session_metadata passed over: 1");
    }

    @Test
    void windowsUnderAMapThatStoodStillBecomeFramesAndOthersDoNot() throws IOException {
        Recording read = read(Fixtures.VLLM_BENCHMARK);

        assertThat(read.frames()).hasSize(1);
        assertThat(read.frames().get(0).step()).isEqualTo(8);
        assertThat(read.totals()).isDeepEqualTo(Fixtures.LOAD);
        assertThat(read.notes())
                .anyMatch(note -> note.contains("at step 4") && note.contains("map may have changed"))
                .anyMatch(note -> note.contains("at step 10") && note.contains("overlaps"));
    }

    @Test
    void mapsOfVllmAndItsPlugInsCountLayersFromZero() throws IOException {
        for (Fixtures fixture : List.of(Fixtures.VLLM_MAPPING, Fixtures.HYGON_1, Fixtures.HYGON_2, Fixtures.ASCEND)) {
            Recording read = read(fixture);
            assertThat(read.maps()).as(fixture.format()).containsExactly(MAP);
            assertThat(read.numbering()).isEqualTo(LayerNumbering.MOE_ONLY);
            assertThat(read.layerIds()).containsExactly(0, 1);
            assertThat(read.experts()).isEqualTo(4);
        }
    }

    @Test
    void fileWithMapsOfSeveralModelsAsksWhich() {
        assertThatThrownBy(() -> read(Fixtures.HYGON_2, Fixtures.HYGON_2.text(), Given.NOTHING.withRanks(2)))
                .hasMessageContaining("[Demo, DemoMTP]: choose one by --model-key");
    }

    @Test
    void keysOfTensorRtAreTheModelsOwnNumbers() throws IOException {
        Recording read = read(Fixtures.TRTLLM);

        assertThat(read.numbering()).isEqualTo(LayerNumbering.ABSOLUTE);
        assertThat(read.layerIds()).containsExactly(3, 4);
        assertThat(read.maps()).containsExactly(MAP);
        assertThat(written(TextFormats.TRTLLM_YAML, read, Given.NOTHING)).isEqualTo(Fixtures.TRTLLM.text());
    }

    @Test
    void workloadFileIsLoadAndMapAndItsOnesAreNoTraffic() throws IOException {
        Recording read = read(Fixtures.FASTDEPLOY);

        assertThat(read.totals()).isDeepEqualTo(Fixtures.LOAD);
        assertThat(read.maps()).containsExactly(MAP);
        assertThat(read.frames().get(0).map()).isEqualTo(Recording.NO_MAP);
        String ones = Fixtures.FASTDEPLOY
                .text()
                .replace("[0, 0, 0, 0]", "[1, 1, 1, 1]")
                .replace("[12, 3, 7, 2]", "[1, 1, 1, 1]")
                .replace("[11, 4, 6, 3]", "[1, 1, 1, 1]");
        Recording start =
                read(Fixtures.FASTDEPLOY, ones, Given.NOTHING.withRanks(2).withLayerIds(List.of(1, 2)));
        assertThat(start.frames()).isEmpty();
        assertThat(start.maps()).containsExactly(MAP);
    }

    @Test
    void ranksOfAnAnswerAreAddedUp() throws IOException {
        Recording read = read(Fixtures.FASTDEPLOY_STATS);

        assertThat(read.totals()).isDeepEqualTo(Fixtures.LOAD);
        assertThat(read.frames()).hasSize(1);
    }

    @Test
    void extrasOfLightllmStandBehindTheOwnExpertsOfEachRank() throws IOException {
        Recording read = read(Fixtures.LIGHTLLM);

        assertThat(read.maps())
                .containsExactly(ExpertMap.ofSlots(new int[][] {{0, 1, 2, 2, 3, 2}, {0, 1, 3, 2, 3, 3}}, 2));
        assertThat(read.layerIds()).containsExactly(1, 2);
        Recording more = read(
                Fixtures.LIGHTLLM,
                Fixtures.LIGHTLLM.text(),
                Fixtures.LIGHTLLM.given().withLayerIds(List.of(1, 2, 5)));
        assertThat(more.maps().get(0).rank(2, 1)).containsExactly(2, 3, 0);
    }

    @Test
    void expertTwiceOnARankIsNoMapForAscend() throws IOException {
        Recording read = read(Fixtures.LIGHTLLM);

        assertThat(read.notes())
                .anyMatch(note -> note.startsWith("extra copies on a rank that has the expert already: 2"));
        assertThatThrownBy(() -> TextFormats.ASCEND_MAP.write(read, Given.NOTHING))
                .isInstanceOf(CannotHoldException.class)
                .hasMessageContaining("a rank has an expert twice, as this map does: 2");
    }

    @Test
    void ranksThatTheFileSaysOtherwiseAreRefused() {
        assertThatThrownBy(() -> read(Fixtures.VLLM_RECORDS, Fixtures.VLLM_RECORDS.text(), Given.NOTHING.withRanks(3)))
                .hasMessageContaining("is of 2 ranks, --ranks is 3");
        assertThatThrownBy(() -> read(Fixtures.ASCEND, Fixtures.ASCEND.text(), Given.NOTHING.withRanks(3)))
                .hasMessageContaining("is of 2 devices, --ranks is 3");
    }

    @Test
    void expertWithoutASlotIsRefused() {
        String lost = Fixtures.VLLM_MAPPING.text().replace("[0, 1, 2, 2, 3, 1]", "[0, 1, 2, 2, 2, 1]");
        assertThatThrownBy(() -> read(Fixtures.VLLM_MAPPING, lost, Fixtures.VLLM_MAPPING.given()))
                .hasMessageContaining("no slot for expert 3 of 4");
    }
}
