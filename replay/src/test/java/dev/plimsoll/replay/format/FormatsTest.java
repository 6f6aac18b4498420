package dev.plimsoll.replay.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.replay.format.text.Fixtures;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** A wrong guess is impossible. */
class FormatsTest {
    private static final List<Fixtures> FIXTURES = Fixtures.ALL;

    private static Input input(String text) {
        return Input.of("f", Map.of("f", text.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @FieldSource("FIXTURES")
    void formatIsToldByContentAlone(Fixtures fixture) throws Exception {
        assertThat(Formats.detect(input(fixture.text())).name()).isEqualTo(fixture.format());
    }

    @Test
    void namesAreOfOneFormatEach() {
        assertThat(new HashSet<>(Formats.names())).hasSameSizeAs(Formats.ALL);
    }

    @Test
    void assignmentsInJsonThatDoNotSayWhoseTheyAreAreBothEngines() throws Exception {
        Input both = input("{\"num_slots\": 2, \"initial_global_assignments\": {\"0\": [0, 1]}}");

        assertThatThrownBy(() -> Formats.detect(both))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("--format")
                .hasMessageContaining("vllm-mapping is")
                .hasMessageContaining("trtllm-yaml is");
        assertThat(Formats.read(both, Given.NOTHING.withRanks(1), Optional.of("trtllm-yaml"))
                        .numbering())
                .isEqualTo(LayerNumbering.ABSOLUTE);
        assertThatThrownBy(() -> Formats.read(both, Given.NOTHING.withRanks(1), Optional.of("vllm-mapping")))
                .hasMessageContaining("num_redundant_experts");
    }

    @Test
    void sglangFileWithLoadAndMapIsReadAsWhatIsAskedFor() throws Exception {
        Input both = input("{\"physical_to_logical_map\": [[0, 1]], \"logical_count\": [[3, 4]]}");

        assertThatThrownBy(() -> Formats.detect(both))
                .hasMessageContaining("sglang-map is")
                .hasMessageContaining("sglang-count is");
        assertThat(Formats.read(both, Given.NOTHING, Optional.of("sglang-count"))
                        .frames())
                .hasSize(1);
    }

    @Test
    void unknownContentIsRefusedWithTheNamesOfAllFormats() {
        assertThatThrownBy(() -> Formats.detect(input("hello")))
                .hasMessageContaining("no format that is known")
                .hasMessageContaining("vllm-ascend-map");
        assertThatThrownBy(() -> Formats.read(input("{}"), Given.NOTHING, Optional.of("sglang")))
                .hasMessageContaining("--format sglang is no format");
    }

    @Test
    void numbersThatWereGivenMustFitTheFile() {
        String map = Fixtures.VLLM_MAPPING.text();
        assertThatThrownBy(() -> Formats.read(input(map), Given.NOTHING.withRanks(4), Optional.empty()))
                .hasMessageContaining("has 6 slots, which 4 ranks cannot share evenly");
        assertThatThrownBy(() ->
                        Formats.read(input(map), Given.NOTHING.withRanks(2).withExperts(5), Optional.empty()))
                .hasMessageContaining("--experts is 5");
        assertThatThrownBy(() ->
                        Formats.read(input(map), Given.NOTHING.withRanks(2).withLayerIds(List.of(3)), Optional.empty()))
                .hasMessageContaining("--layer-ids names 1: 3");
    }

    @Test
    void layersCountedFromZeroTakeTheModelsNumbersThatWereGiven() throws Exception {
        Recording read = Formats.read(
                input(Fixtures.VLLM_MAPPING.text()),
                Given.NOTHING.withRanks(2).withLayerIds(List.of(3, 4)),
                Optional.empty());

        assertThat(read.numbering()).isEqualTo(LayerNumbering.ABSOLUTE);
        assertThat(read.layerIds()).containsExactly(3, 4);
        assertThat(read.notes()).anyMatch(note -> note.contains("counts layers with experts from 0"));
    }

    @Test
    void loadInALayerThatWasSaidToHaveNoExpertsIsRefused() {
        assertThatThrownBy(() -> Formats.read(
                        input("{\"logical_count\": [[1, 0], [3, 4]]}"),
                        Given.NOTHING.withLayerIds(List.of(1)),
                        Optional.empty()))
                .hasMessageContaining("has load in layers 0, which --layer-ids leaves out");
    }

    @Test
    void fileThatWasGivenAsAMapIsNoLoad(@TempDir Path directory) throws Exception {
        Path both = Files.writeString(
                directory.resolve("both.json"), "{\"physical_to_logical_map\": [[0, 1]], \"logical_count\": [[3, 4]]}");
        Path load = Files.writeString(directory.resolve("load.json"), "{\"logical_count\": [[3, 4]]}");

        Given given = Given.NOTHING.withRanks(1).withLayerIds(List.of(0));
        assertThat(Formats.readMap(both, given)).isEqualTo(ExpertMap.ofSlots(new int[][] {{0, 1}}, 1));
        assertThatThrownBy(() -> Formats.readMap(load, given)).hasMessageContaining("no format that is known");
        Path several = Files.writeString(
                directory.resolve("several.jsonl"), Fixtures.ALL.get(2).text());
        assertThatThrownBy(() -> Formats.readMap(several, Given.NOTHING)).hasMessageContaining("has 2 maps of experts");
    }
}
