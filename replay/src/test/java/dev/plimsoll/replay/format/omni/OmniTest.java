package dev.plimsoll.replay.format.omni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.GivenMap;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.SharedFormats;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.npy.NpyArray;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OmniTest {
    private static final OmniPlacement PATTERN = new OmniPlacement();
    private static final OmniCounts COUNTS = new OmniCounts();

    /** Two layers on two ranks: three slots on the first rank in layer 0, two elsewhere. */
    private static final ExpertMap MAP = ExpertMap.of(new int[][][] {{{0, 1, 2}, {0, 2}}, {{0, 1}, {1, 2}}});

    private static final Given UNDER_MAP = Given.NOTHING.withMap(new GivenMap.Known(MAP));

    private static Input pattern(int ranks, int layers, int experts, long... values) {
        return Input.of(
                "a.npy", Map.of("a.npy", NpyArray.write(NumberType.INT64, List.of(ranks, layers, experts), values)));
    }

    private static Input dump(String... files) {
        Map<String, byte[]> all = new TreeMap<>();
        for (int i = 0; i < files.length; i += 2) {
            all.put(
                    "activation_counts_recordstep_" + files[i] + ".txt",
                    files[i + 1].getBytes(StandardCharsets.US_ASCII));
        }
        return Input.of("dump", all);
    }

    @Test
    void patternIsAMapWithSlotsInTheOrderOfExperts() throws IOException {
        Input input = pattern(2, 2, 3, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1);

        Recording recording = PATTERN.read(input, Given.NOTHING);

        assertThat(recording.maps()).containsExactly(MAP);
        assertThat(recording.ranks()).hasValue(2);
        assertThat(recording.notes()).anyMatch(note -> note.contains("differ in their number of slots"));
    }

    @Test
    void whatIsNoPatternIsRefused() {
        assertThatThrownBy(() -> PATTERN.read(pattern(1, 1, 2, 1, 2), Given.NOTHING))
                .hasMessageContaining("2 is neither 0 nor 1");
        assertThatThrownBy(() -> PATTERN.read(pattern(1, 2, 2, 1, 1, 0, 1), Given.NOTHING))
                .hasMessageContaining("has no device with expert 0 in layer 1");
        assertThatThrownBy(() -> PATTERN.read(pattern(2, 1, 1, 1, 1), Given.NOTHING.withRanks(4)))
                .hasMessageContaining("is of 2 ranks, --ranks is 4");
    }

    @Test
    void patternCannotHoldAnExpertTwiceOnARankAndSaysWhenItLosesTheOrder() throws IOException {
        Recording twice = recording(ExpertMap.of(new int[][][] {{{0, 0}, {1, 2}}}));
        Recording turned = recording(ExpertMap.of(new int[][][] {{{1, 0}, {1, 2}}}));

        assertThatThrownBy(() -> PATTERN.write(twice, Given.NOTHING))
                .hasMessageContaining("a rank has an expert twice");
        assertThat(PATTERN.write(turned, Given.NOTHING).notes())
                .anyMatch(note -> note.contains("the order of slots on a device is lost"));
    }

    private static Recording recording(ExpertMap map) {
        return new Recording(
                "here",
                "test",
                dev.plimsoll.replay.format.LayerNumbering.MOE_ONLY,
                List.of(0),
                3,
                java.util.OptionalInt.of(2),
                java.util.OptionalInt.empty(),
                List.of(),
                List.of(map),
                List.of());
    }

    @Test
    void ranksWriteTheirOwnSlotsOrRankZeroWritesAllOfThemFilledUp() throws IOException {
        Input perRank = dump("4_rank_0", "5\t1\t2\t\n3\t4\t0\t\n", "4_rank_1", "6\t7\t\n8\t9\t\n");
        Input all = dump("4_rank_0", "5\t1\t2\t6\t7\t0\t\n3\t4\t0\t8\t9\t0\t\n");

        for (Input input : List.of(perRank, all)) {
            Recording recording = COUNTS.read(input, UNDER_MAP);

            assertThat(recording.frames()).hasSize(1);
            assertThat(recording.frames().get(0).step()).isEqualTo(4);
            assertThat(recording.frames().get(0).load()).isDeepEqualTo(new long[][] {{11, 1, 9}, {3, 12, 9}});
            assertThat(recording.frames().get(0).slotLoad().orElseThrow())
                    .isDeepEqualTo(new long[][] {{5, 1, 2, 6, 7}, {3, 4, 8, 9}});
        }
    }

    @Test
    void countWhereTheMapHasNoSlotIsRefused() {
        Input all = dump("4_rank_0", "5\t1\t2\t6\t7\t0\t\n3\t4\t1\t8\t9\t0\t\n");

        assertThatThrownBy(() -> COUNTS.read(all, UNDER_MAP))
                .hasMessageContaining("has a count of 1 in line 2, column 3, where rank 0 has no slot by the map");
    }

    @Test
    void mapIsAskedForAndHasToFit() throws IOException {
        Input two = dump("1_rank_0", "5\t1\n", "1_rank_1", "2\t3\n");
        Input one = dump("1_rank_0", "5\t1\t2\t3\n");

        assertThatThrownBy(() -> COUNTS.read(two, Given.NOTHING)).hasMessageContaining("--map FILE, or --map start");
        assertThatThrownBy(() -> COUNTS.read(two, UNDER_MAP)).hasMessageContaining("the map has 2 layers on 2 ranks");
        Given start = Given.NOTHING.withMap(new GivenMap.AtStart());
        assertThat(COUNTS.read(two, start).totals()).isDeepEqualTo(new long[][] {{5, 1, 2, 3}});
        assertThatThrownBy(() -> COUNTS.read(one, start)).hasMessageContaining("--ranks is needed");
        assertThat(COUNTS.read(one, start.withRanks(2)).maps())
                .isEqualTo(COUNTS.read(two, start).maps());
        assertThatThrownBy(() -> COUNTS.read(one, start.withRanks(3))).hasMessageContaining("--map FILE is needed");
        assertThatThrownBy(() -> COUNTS.read(two, start.withExperts(3))).hasMessageContaining("--experts is 3");
    }

    @Test
    void stepsThatLackARankAreRefusedAndGapsAreSaid() throws IOException {
        Given start = Given.NOTHING.withMap(new GivenMap.AtStart());
        Input lacks = dump("1_rank_0", "5\n", "1_rank_1", "2\n", "2_rank_0", "5\n");
        Input gap = dump("1_rank_0", "5\n", "1_rank_1", "2\n", "9_rank_0", "5\n", "9_rank_1", "5\n");

        assertThatThrownBy(() -> COUNTS.read(lacks, start)).hasMessageContaining("with files of ranks [0]");
        assertThat(COUNTS.read(gap, start).notes()).contains("7 steps between the first and the last have no file");
    }

    @ParameterizedTest
    @CsvSource(
            value = {
                "5\\t1\\t\\n3\\t\\n; 7; no count there",
                "5\\t1\\t\\n3\\t4\\t5\\n; 9; more than 2 counts",
                "5\\t-1\\n; 2; no count there",
                "5\\t1x\\n; 3; more than 2 counts",
                "9999999999999999999\\n; 15; above 2^53",
                "5 1\\n; 1; something else than a tab"
            },
            delimiter = ';')
    void lineThatIsNoneIsRefusedWhereItGoesWrong(String text, int position, String reason) {
        Input input = dump("1_rank_0", text.replace("\\t", "\t").replace("\\n", "\n"));
        Given given = Given.NOTHING.withRanks(1).withMap(new GivenMap.AtStart());

        assertThatThrownBy(() -> COUNTS.read(input, given)).isInstanceOfSatisfying(FormatException.class, refused -> {
            assertThat(refused.reason()).contains(reason);
            assertThat(refused.position()).isEqualTo(position);
        });
    }

    // Made after OmniPlacement's own code, and read by its own tools.

    private static final String REDUNDANT =
            "placement_pattern_20261129_000000_2_redundant_layers_3_layers_4_ranks_epmaxdeploy_4_all_step0to100.npy";

    @ParameterizedTest
    @CsvSource({
        "base_4_devices_3_MoE_Layers.npy, INT64",
        REDUNDANT + ", INT32",
        "placement_pattern_20261129_000000_3_rearrange_layers_3_layers_4_ranks_all_step0to100.npy, INT32"
    })
    void patternOfTheEngineSaysWhatIsTrue(String name, NumberType type) throws IOException {
        Input input = SharedFormats.input("omni/" + name);
        Recording load =
                COUNTS.read(SharedFormats.input("omni/dump_perRank"), Given.NOTHING.withMap(new GivenMap.AtStart()));
        JsonNode truth = SharedFormats.truth("omni/" + name);

        Recording recording = Formats.read(input, Given.NOTHING, Optional.of("omni-placement"));

        ExpertMap map = recording.maps().get(0);
        for (int layer = 0; layer < 3; layer++) {
            assertThat(map.slots(layer))
                    .isEqualTo(truth.get("slots_per_layer").get(layer).intValue());
        }
        SharedFormats.assertBalance(load.totals(), map, truth.get("balance"));
        byte[] again = PATTERN.write(recording, Given.NOTHING).bytes();
        assertThat(PATTERN.read(Input.of(name, Map.of(name, again)), Given.NOTHING)
                        .maps())
                .containsExactly(map);
        if (type == NumberType.INT32) { // base patterns are int64, what the pattern tool writes is int32
            assertThat(again).isEqualTo(input.bytes(name));
        }
    }

    @Test
    void dumpsOfTheEngineSayWhatIsTrue() throws IOException {
        JsonNode perRank = SharedFormats.truth("omni/dump_perRank/");
        JsonNode all = SharedFormats.truth("omni/dump/");
        ExpertMap map = Formats.readMap(SharedFormats.path("omni/" + REDUNDANT), Given.NOTHING);

        Recording own = Formats.read(
                SharedFormats.input("omni/dump_perRank"),
                Given.NOTHING.withMap(new GivenMap.AtStart()),
                Optional.empty());
        Recording byRankZero = Formats.read(
                SharedFormats.input("omni/dump"), Given.NOTHING.withMap(new GivenMap.Known(map)), Optional.empty());

        SharedFormats.assertSums(own, perRank);
        SharedFormats.assertBalance(own.totals(), own.maps().get(0), perRank.get("balance"));
        SharedFormats.assertSums(byRankZero, all);
        SharedFormats.assertPhysical(byRankZero, all.get("physical_b"));
    }
}
