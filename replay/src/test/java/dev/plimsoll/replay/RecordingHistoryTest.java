package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.result.PastWindow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RecordingHistoryTest {
    private static final FileLayout TWO_RANKS =
            new FileLayout(OptionalInt.of(2), OptionalInt.empty(), OptionalLong.empty());
    private static final FileLayout NOTHING =
            new FileLayout(OptionalInt.empty(), OptionalInt.empty(), OptionalLong.empty());

    /** Frame i has a load of i, 1, 2 and 3 in the only layer. */
    private static Recording recording(int frames, int passes, List<ExpertMap> maps) {
        List<Frame> all = new ArrayList<>();
        for (int i = 0; i < frames; i++) {
            all.add(new Frame(i, passes, maps.isEmpty() ? Recording.NO_MAP : 0, new long[][] {{i, 1, 2, 3}}));
        }
        return new Recording(
                "dump.pt",
                "test",
                LayerNumbering.ABSOLUTE,
                List.of(7),
                4,
                OptionalInt.empty(),
                OptionalInt.of(2),
                all,
                maps,
                List.of("read as a test"));
    }

    private static List<HistoryWindow> all(RecordingHistory history) {
        List<HistoryWindow> windows = new ArrayList<>();
        for (Optional<HistoryWindow> next = history.next(); next.isPresent(); next = history.next()) {
            windows.add(next.orElseThrow());
        }
        return windows;
    }

    private static RecordingHistory open(Recording recording, FileLayout layout, OptionalInt frames) {
        return RecordingHistory.of(recording, layout, frames, Map.of("dump.pt", "00"));
    }

    @Test
    void framesAreTheEqualPartsOfAWindow() {
        List<HistoryWindow> windows = all(open(recording(8, 1, List.of()), TWO_RANKS, OptionalInt.of(4)));

        assertThat(windows).hasSize(2);
        ExpertLoad load = windows.get(1).load().orElseThrow();
        assertThat(load.samples()).isEqualTo(4);
        assertThat(load.at(0, 0, 0)).isEqualTo(4);
        assertThat(load.at(0, 3, 0)).isEqualTo(7);
        assertThat(load.at(0, 3)).isEqualTo(12);
        assertThat(windows.get(1).facts()).isEqualTo(new PastWindow(1, 5, 8, 0, 4 + 5 + 6 + 7 + 4 * 6, 1, true, ""));
    }

    @Test
    void manyFramesMakeEqualPartsTogether() {
        ExpertLoad load = all(open(recording(12, 1, List.of()), TWO_RANKS, OptionalInt.of(12)))
                .get(0)
                .load()
                .orElseThrow();

        assertThat(load.samples()).isEqualTo(6);
        assertThat(load.at(0, 5, 0)).isEqualTo(10 + 11);
        assertThat(load.at(0, 0)).isEqualTo(66);
    }

    @Test
    void framesThatAreLeftOverAreNoWholeWindow() {
        List<HistoryWindow> windows = all(open(recording(7, 1, List.of()), TWO_RANKS, OptionalInt.of(3)));

        assertThat(windows).hasSize(3);
        assertThat(windows.get(2).load()).isEmpty();
        assertThat(windows.get(2).facts().why()).isEqualTo("the recording ends after 1 of 3 frames");
        assertThat(windows.get(2).facts().load()).isEqualTo(6 + 6);
    }

    @Test
    void singlePassesArePutTogetherSoThatThereAreWindowsEnough() {
        assertThat(open(recording(1000, 1, List.of()), TWO_RANKS, OptionalInt.empty())
                        .windows())
                .hasValue(32);
        assertThat(open(recording(8192, 1, List.of()), TWO_RANKS, OptionalInt.empty())
                        .windows())
                .hasValue(32);
        assertThat(open(recording(20, 1, List.of()), TWO_RANKS, OptionalInt.empty())
                        .windows())
                .hasValue(20);
        assertThat(open(recording(1000, 10, List.of()), TWO_RANKS, OptionalInt.empty())
                        .windows())
                .hasValue(1000);
        assertThat(open(recording(1000, 0, List.of()), TWO_RANKS, OptionalInt.empty())
                        .windows())
                .hasValue(1000);
    }

    @Test
    void stepsArePassesWhereTheyAreKnown() {
        List<HistoryWindow> windows = all(open(recording(4, 10, List.of()), TWO_RANKS, OptionalInt.of(2)));

        assertThat(windows.get(1).facts().firstStep()).isEqualTo(21);
        assertThat(windows.get(1).facts().lastStep()).isEqualTo(40);
    }

    @Test
    void aRecordingBeginsAtItsOwnPlacement() {
        ExpertMap map = ExpertMap.of(new int[][][] {{{3, 1, 0}, {2, 0, 1}}});

        RecordingHistory history = open(recording(4, 1, List.of(map)), NOTHING, OptionalInt.empty());

        assertThat(history.placement().layer(0)).containsExactly(3, 1, 0, 2, 0, 1);
        assertThat(history.members().topology().ranks()).isEqualTo(2);
        assertThat(history.members().topology().slotsPerRank()).isEqualTo(3);
        assertThat(history.notes()).contains("read as a test");
    }

    @Test
    void aMapThatPlimsollWouldNotServeIsSaidAndReplacedByTheInitialOne() {
        ExpertMap twice = ExpertMap.of(new int[][][] {{{0, 1, 1}, {2, 3, 0}}});

        RecordingHistory history = open(recording(4, 1, List.of(twice)), TWO_RANKS, OptionalInt.empty());

        assertThat(history.placement().layer(0)).containsExactly(0, 1, 2, 3, 0, 1);
        assertThat(history.notes())
                .anySatisfy(
                        note -> assertThat(note).contains("1 times an expert stands on a rank that holds it already"));
    }

    @Test
    void whatTheFileDoesNotSayIsAskedForByName() {
        assertThatThrownBy(() -> open(recording(4, 1, List.of()), NOTHING, OptionalInt.empty()))
                .hasMessageContaining("--ranks");
        assertThatThrownBy(() -> open(recording(4, 1, List.of()), TWO_RANKS, OptionalInt.of(5)))
                .hasMessageContaining("--window 5");
        assertThatThrownBy(() -> open(recording(0, 1, List.of()), TWO_RANKS, OptionalInt.empty()))
                .hasMessageContaining("has no load");
    }

    @Test
    void whatAnExpertWeighsIsZeroBytesWhereNobodyKnows() {
        FileLayout known = new FileLayout(OptionalInt.of(2), OptionalInt.empty(), OptionalLong.of(1 << 20));

        assertThat(open(recording(4, 1, List.of()), TWO_RANKS, OptionalInt.empty())
                        .expertBytesKnown())
                .isFalse();
        assertThat(open(recording(4, 1, List.of()), known, OptionalInt.empty())
                        .members()
                        .bytesPerExpert())
                .isEqualTo(1 << 20);
    }
}
