package dev.plimsoll.replay.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.verify.MadeUpRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Windows as they are put together from their topics, with what the plan log says was served. */
class LiveWindowsTest {
    private static final MadeUpRun RUN = MadeUpRun.ofEveryWindow();

    private final MadeUpRun run = RUN.copy();
    private Optional<Placement> kept = Optional.empty();

    private List<LiveWindow> read() {
        PastPlan plan = new PastPlan(MadeUpRun.MEMBERS, MadeUpRun.supplier(run.commands), kept);
        LiveWindows windows = new LiveWindows(
                MadeUpRun.MEMBERS, MadeUpRun.supplier(run.rows), MadeUpRun.supplier(run.summaries), plan);
        List<LiveWindow> read = new ArrayList<>();
        for (Optional<LiveWindow> next = windows.next(); next.isPresent(); next = windows.next()) {
            read.add(next.orElseThrow());
        }
        return read;
    }

    private void assertIndices(List<LiveWindow> windows) {
        assertThat(windows)
                .extracting(LiveWindow::index)
                .containsExactlyElementsOf(
                        LongStream.range(0, run.summaries.size()).boxed().toList());
    }

    @Test
    void everyWindowIsThereUnderThePlacementThatItsStateNames() {
        List<LiveWindow> windows = read();

        assertIndices(windows);
        assertThat(windows).allMatch(LiveWindow::usable);
        assertThat(windows)
                .allSatisfy(
                        window -> assertThat(window.servedLast().orElseThrow().version())
                                .isEqualTo(window.summary().states().get(0).settledVersion()));
        assertThat(windows).allMatch(window -> window.hottestLoad() > 0);
    }

    @Test
    void aWindowWithoutOneOfItsRecordsIsTheOnlyOneThatCannotBeUsed() {
        run.rows.removeIf(row -> row.value().index() == 5 && row.value().layer() == 2);

        List<LiveWindow> windows = read();

        assertIndices(windows);
        assertThat(windows.stream().filter(window -> !window.usable()))
                .singleElement()
                .satisfies(window -> {
                    assertThat(window.index()).isEqualTo(5);
                    assertThat(window.why()).contains("not all");
                });
    }

    @Test
    void windowsWhoseRecordsAreGoneAreNotGathered() {
        WindowSummary like = run.summaries.get(0).value();
        int[] taken = {0};
        PastPlan plan = new PastPlan(MadeUpRun.MEMBERS, MadeUpRun.supplier(run.commands), kept);
        LiveWindows windows = new LiveWindows(
                MadeUpRun.MEMBERS,
                Optional::empty,
                () -> taken[0] < 1_000
                        ? Optional.of(new Dated<>(at(like, taken[0]), taken[0]++, like.closedAtMillis()))
                        : Optional.empty(),
                plan);

        for (int index = 0; index < 1_000; index++) {
            assertThat(windows.next().orElseThrow().index()).isEqualTo(index);
            assertThat(taken[0] - index).isLessThan(100);
        }
        assertThat(windows.next()).isEmpty();
    }

    private static WindowSummary at(WindowSummary like, long index) {
        return new WindowSummary(
                like.deployment(),
                like.incarnation(),
                like.phase(),
                index,
                index - 1,
                like.steps(),
                like.reason(),
                like.expected(),
                like.present(),
                like.balance(),
                like.states(),
                0,
                Conservation.YES,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                index,
                like.closedAtMillis(),
                "");
    }

    @Test
    void windowsWithoutASummaryAreNone() {
        run.summaries.removeIf(summary -> summary.value().index() == 5);

        assertThat(read()).extracting(LiveWindow::index).doesNotContain(5L).hasSize(run.summaries.size());
    }

    @Test
    void topicsWhoseTimesAreApartGiveTheSameWindows() {
        List<LiveWindow> together = read();
        run.rows.replaceAll(row -> new Dated<>(row.value(), row.offset(), row.atMillis() + 20_000));

        assertThat(read()).isNotEmpty().hasSameSizeAs(together);
        assertIndices(read());
        assertThat(read()).allMatch(LiveWindow::usable);
    }

    @Test
    void aLogThatHasLostItsBeginningIsFollowedFromWhatIsKeptBesideIt() {
        Propose first = run.decisions().get(0);
        Placement initial = Placement.initial(MadeUpRun.MEMBERS.shape(), MadeUpRun.MEMBERS.topology());
        Placement settled = PlanLog.after(first, first.batches().size(), initial, first.epoch());
        run.commands.removeIf(record -> record.value() instanceof Propose propose && propose.epoch() == first.epoch());

        assertThat(read().stream().filter(LiveWindow::usable))
                .as("of the windows before the lost decision settled")
                .allMatch(window -> window.summary().states().get(0).settledVersion() == 0);
        assertThat(read().stream()
                        .filter(window -> !window.usable())
                        .findFirst()
                        .orElseThrow()
                        .why())
                .contains("what was served at v" + first.epoch());
        kept = Optional.of(settled);
        assertThat(run.commands).anyMatch(record -> record.value() instanceof Settled);
        assertThat(read()).allMatch(LiveWindow::usable);
    }
}
