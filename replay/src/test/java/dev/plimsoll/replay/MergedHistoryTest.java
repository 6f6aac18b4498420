package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MergedHistoryTest {
    /** Windows of 8 steps. */
    private static final Membership MEMBERS = MadeUpPast.members(2, 4, Topology.even(2, 1, 3), 2);

    private static List<HistoryWindow> merged(List<HistoryWindow> windows, int steps) throws Exception {
        History history = MergedHistory.of(MadeUpPast.of(MEMBERS, windows), steps);
        List<HistoryWindow> all = new ArrayList<>();
        for (Optional<HistoryWindow> next = history.next(); next.isPresent(); next = history.next()) {
            all.add(next.orElseThrow());
        }
        return all;
    }

    @Test
    void noTokenIsLostAndPartsStayInOrder() throws Exception {
        List<HistoryWindow> windows = MadeUpPast.drifting(9, 2, 4, 4, 3);

        List<HistoryWindow> merged = merged(windows, 24);

        assertThat(merged).hasSize(3);
        for (int index = 0; index < 3; index++) {
            ExpertLoad load = merged.get(index).load().orElseThrow();
            assertThat(load.samples()).isEqualTo(6);
            assertThat(load.windowIndex()).isEqualTo(index);
            for (int layer = 0; layer < 2; layer++) {
                for (int expert = 0; expert < 4; expert++) {
                    // Twelve parts of three windows as six: two each.
                    for (int part = 0; part < 6; part++) {
                        long sum = 0;
                        for (int of = 2 * part; of < 2 * part + 2; of++) {
                            sum += windows.get(3 * index + of / 4)
                                    .load()
                                    .orElseThrow()
                                    .at(layer, of % 4, expert);
                        }
                        assertThat(load.at(layer, part, expert)).isEqualTo(sum);
                    }
                }
            }
            assertThat(merged.get(index).facts().load())
                    .isEqualTo(windows.subList(3 * index, 3 * index + 3).stream()
                            .mapToLong(window -> window.facts().load())
                            .sum());
            assertThat(merged.get(index).facts().closedAtMillis())
                    .isEqualTo(windows.get(3 * index + 2).facts().closedAtMillis());
        }
    }

    @Test
    void oneThatCannotBeUsedOrIsNotThereSpoilsTheWhole() throws Exception {
        List<HistoryWindow> windows = new ArrayList<>(MadeUpPast.drifting(9, 2, 4, 4, 3));
        windows.set(4, MadeUpPast.missing(4, "3 of 8 cells"));
        windows.remove(8);

        List<HistoryWindow> merged = merged(windows, 24);

        assertThat(merged.get(0).facts().usable()).isTrue();
        assertThat(merged.get(1).facts().why()).isEqualTo("window 4: 3 of 8 cells");
        assertThat(merged.get(2).facts().why()).isEqualTo("2 of 3 windows are there");
        assertThat(merged.get(2).facts().completeness()).isEqualTo(2.0 / 3);
    }

    @Test
    void whatHappenedIsNotJoinedToWindowsThatItWasNotMeasuredIn() throws Exception {
        PolicyRun happened = new PolicyRun(
                PolicyRun.LIVE,
                Map.of(),
                2,
                2,
                1,
                List.of(new ServedWindow(0, 0.9, 0.8, 1, 100, 0), new ServedWindow(1, 0.7, 0.6, 0, 120, 0)),
                List.of(
                        new MadeDecision(1, 1, 5, 3, 30, 1, 0.7, 0.9, 0.85, 0.7, 0.2, 1, "first"),
                        new MadeDecision(7, 2, 6, 1, 10, 1, 0.8, 0.9, 0.85, 0.8, 0.2, 1, "second")),
                Map.of("BALANCED", 4),
                0,
                Map.of(1L, new int[][] {{0, 1, 2, 3, 0, 1}}));
        MadeUpPast past =
                MadeUpPast.of(MEMBERS, MadeUpPast.drifting(9, 2, 4, 4, 3)).with(happened);

        History history = MergedHistory.of(past, 24);
        PolicyRun live = history.live().orElseThrow();

        assertThat(live.served()).isEmpty();
        assertThat(live.placements()).isEmpty();
        assertThat(live.decisions().stream().map(MadeDecision::windowIndex)).containsExactly(0L, 2L);
        assertThat(live.decisions().get(1).reason()).isEqualTo("second");
        assertThat(history.notes()).anyMatch(note -> note.contains("3 windows are put together"));
    }

    @Test
    void windowsAreNotCut() {
        assertThatThrownBy(() -> merged(List.of(), 12)).hasMessageContaining("multiple of the 8 steps");
        assertThatThrownBy(() -> merged(List.of(), 4)).hasMessageContaining("--window 4");
    }
}
