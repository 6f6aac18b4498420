package dev.plimsoll.aggregator.window;

import static dev.plimsoll.aggregator.window.Samples.ONE;
import static dev.plimsoll.aggregator.window.Samples.gathered;
import static dev.plimsoll.aggregator.window.Samples.ofRank;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FoldTest {
    private static final Membership MEMBERS = Samples.members(ONE, 1, 2, 2, 2, 2);

    private final Fold fold = new Fold(Fold.nothing(0), WindowSettings.DEFAULT, FoldListener.NONE);
    private long offset;

    private List<ClosedWindow> feed(SampleRecord... records) {
        List<ClosedWindow> closed = new ArrayList<>();
        for (SampleRecord record : records) {
            fold.fold(offset, 1000 + offset, record).ifPresent(checkpoint -> closed.addAll(checkpoint.windows()));
            offset++;
        }
        return closed;
    }

    @Test
    void lateSampleIsCountedAndNeverReopensItsWindow() {
        feed(MEMBERS, gathered(MEMBERS, 0, 32, 1), gathered(MEMBERS, 0, 16, 1));

        WindowSummary next = feed(gathered(MEMBERS, 32, 64, 1)).get(0).summary();

        assertThat(next.index()).isEqualTo(1);
        assertThat(next.late()).isEqualTo(1);
        assertThat(next.accepted()).isEqualTo(8);
    }

    @Test
    void aCoarserCutOfWhatIsThereIsAConflictAndNeverCountsTwice() {
        Membership three = Samples.members(ONE, 1, 2, 2, 2, 3);
        feed(three, gathered(three, 16, 32, 1), gathered(three, 0, 32, 1), gathered(three, 0, 16, 1));

        WindowSummary window = feed(gathered(three, 32, 48, 1)).get(0).summary();

        assertThat(window.reason()).isEqualTo(CloseReason.COMPLETE);
        assertThat(window.accepted()).isEqualTo(24);
        assertThat(window.conflicts()).isEqualTo(2);
    }

    @Test
    void aSampleOverABorderBelongsToNoWindowAndBothSaySo() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1), gathered(MEMBERS, 16, 48, 3));

        List<ClosedWindow> closed = feed(gathered(MEMBERS, 48, 64, 1));

        assertThat(closed).extracting(window -> window.summary().reason()).containsExactly(CloseReason.SPANNING);
        assertThat(closed.get(0).summary().index()).isEqualTo(1);
    }

    @Test
    void layersOfOneBoundaryMayComeInSeveralRecords() {
        LongVector four = LongVector.of(1, 2, 3, 4);
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));
        assertThat(feed(Samples.block(MEMBERS, 16, 32, 0, 2, 0, 1, false, LongVector.of(10), four)))
                .isEmpty();

        WindowSummary window = feed(Samples.block(MEMBERS, 16, 32, 0, 2, 1, 1, false, LongVector.of(10), four))
                .get(0)
                .summary();

        assertThat(window.reason()).isEqualTo(CloseReason.COMPLETE);
        assertThat(window.conserved()).isTrue();
    }

    @Test
    void whatWasNotComputedAsRoutedIsNamed() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));

        WindowSummary window = feed(Samples.block(
                        MEMBERS, 16, 32, 0, 2, 0, 2, false, LongVector.of(4, 5), LongVector.of(1, 1, 1, 1, 1, 1, 1, 1)))
                .get(0)
                .summary();

        assertThat(window.conserved()).isFalse();
        assertThat(window.summary()).contains("NOT CONSERVED in layers 1");
    }

    @Test
    void afterALongOutageOfAllTheFoldJumpsAndKeepsTheSampleThatShowedIt() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));

        List<ClosedWindow> jump = feed(gathered(MEMBERS, 3200, 3216, 1));
        List<ClosedWindow> next = feed(gathered(MEMBERS, 3216, 3232, 1));

        assertThat(jump).extracting(window -> window.summary().reason()).containsExactly(CloseReason.RESYNC);
        assertThat(next.get(0).summary().index()).isEqualTo(100);
        assertThat(next.get(0).summary().previousIndex()).isZero();
        assertThat(next.get(0).summary().reason()).isEqualTo(CloseReason.COMPLETE);
    }

    @Test
    void aDropAtTheEndIsAGapOnceAllRanksReportBeyondIt() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));

        assertThat(feed(gathered(MEMBERS, 32, 48, 1)))
                .extracting(window -> window.summary().reason())
                .containsExactly(CloseReason.GAP);
    }

    @Test
    void oneStuckRankCostsCompletenessAndNotLiveness() {
        Membership ten = Samples.members(ONE, 1, 10, 1, 1, 2);
        feed(ten);
        List<ClosedWindow> closed = new ArrayList<>();
        for (long step = 0; step < 320; step += 16) {
            for (int rank = 0; rank < 9; rank++) {
                closed.addAll(feed(ofRank(ten, rank, step, step + 16, 1)));
            }
        }

        assertThat(closed).hasSize(9);
        assertThat(closed)
                .allSatisfy(window -> assertThat(window.summary().reason()).isEqualTo(CloseReason.STEPS));
        assertThat(closed.get(0).summary().summary()).contains("missing of ranks 9");
    }

    @Test
    void theEndOfAnIncarnationClosesWhatIsOpenAndRefusesTheRest() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));

        List<ClosedWindow> closed = feed(new End(ONE, 1), gathered(MEMBERS, 16, 32, 1));

        assertThat(closed).extracting(window -> window.summary().reason()).containsExactly(CloseReason.INCARNATION);
        assertThat(fold.state().sequences().get(0).counts().rejected()).isEqualTo(1);
    }

    @Test
    void hostileNumbersAreRejectedAndMoveNoWindow() {
        feed(
                MEMBERS,
                gathered(MEMBERS, 0, Long.MAX_VALUE / 16 * 16, 1),
                gathered(MEMBERS, 0, 16, Long.MAX_VALUE / 8),
                ofRank(Samples.members(ONE, 1, 9, 2, 2, 2), 8, 0, 16, 1),
                Samples.members(ONE, 2, 1000, 1000, 1000, 4096));

        assertThat(fold.state().sequences().get(0).members()).isEqualTo(MEMBERS);
        assertThat(fold.state().sequences().get(0).counts().rejected()).isEqualTo(3);
        assertThat(feed(gathered(MEMBERS, 0, 32, 1)).get(0).summary().reason()).isEqualTo(CloseReason.COMPLETE);
    }

    @Test
    void aWideLayerIsCutIntoRecordsOfAtMostTwentyKilobytes() {
        Membership wide = Samples.members(ONE, 1, 64, 1, 16, 8);

        List<ClosedWindow> closed = feed(wide, gathered(wide, 0, 128, 1));

        assertThat(closed.get(0).loads())
                .hasSize(3)
                .allSatisfy(load ->
                        assertThat(load.load().size() + load.subLoad().size()).isLessThanOrEqualTo(4096));
        assertThat(closed.get(0).loads().stream()
                        .mapToInt(load -> load.load().size())
                        .sum())
                .isEqualTo(1024);
    }
}
