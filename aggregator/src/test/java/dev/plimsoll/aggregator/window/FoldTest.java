package dev.plimsoll.aggregator.window;

import static dev.plimsoll.aggregator.window.Samples.ONE;
import static dev.plimsoll.aggregator.window.Samples.gathered;
import static dev.plimsoll.aggregator.window.Samples.ofRank;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import dev.plimsoll.model.AggregatorState.Sequence;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FoldTest {
    private static final Membership MEMBERS = Samples.members(ONE, 1, 2, 2, 2, 2);

    private final List<Fate> fates = new ArrayList<>();
    private final List<String> jumps = new ArrayList<>();
    private final List<String> lapses = new ArrayList<>();
    private final FoldListener listener = new FoldListener() {
        @Override
        public void fate(Deployment deployment, Fate fate, long cells, long load) {
            fates.add(fate);
        }

        @Override
        public void lapsed(Deployment deployment, long window, List<Integer> ranks) {
            lapses.add(window + " " + ranks);
        }

        @Override
        public void jumped(Deployment deployment, long fromWindow, long toWindow) {
            jumps.add(fromWindow + " to " + toWindow);
        }
    };
    private final Fold fold = Fold.empty(0, WindowSettings.DEFAULT, listener);
    private long offset;
    private long time = 1000;

    private List<ClosedWindow> feed(SampleRecord... records) {
        List<ClosedWindow> closed = new ArrayList<>();
        for (SampleRecord record : records) {
            fold.fold(offset, time++, record).ifPresent(checkpoint -> closed.addAll(checkpoint.windows()));
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
        Counters four = Counters.of(1, 2, 3, 4);
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));
        assertThat(feed(Samples.block(MEMBERS, 16, 32, 0, 2, 0, 1, false, LongVector.of(10), four)))
                .isEmpty();

        WindowSummary window = feed(Samples.block(MEMBERS, 16, 32, 0, 2, 1, 1, false, LongVector.of(10), four))
                .get(0)
                .summary();

        assertThat(window.reason()).isEqualTo(CloseReason.COMPLETE);
        assertThat(window.conservation()).isEqualTo(Conservation.YES);
    }

    /** They once were one, when the flip and the token counted the same in a cell's hash. */
    @Test
    void aCellWithOneTokenLessAndAFlipIsNoDuplicate() {
        Membership one = Samples.members(ONE, 1, 2, 1, 1, 4);
        feed(one);
        feed(Samples.block(one, 0, 16, 0, 1, 0, 1, false, LongVector.empty(), Counters.of(94)));

        feed(Samples.block(one, 0, 16, 0, 1, 0, 1, true, LongVector.empty(), Counters.of(93)));

        assertThat(fates).containsExactly(Fate.ACCEPTED, Fate.CONFLICT);
    }

    @Test
    void whatWasNotComputedAsRoutedIsNamed() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));

        WindowSummary window = feed(Samples.block(
                        MEMBERS, 16, 32, 0, 2, 0, 2, false, LongVector.of(4, 5), Counters.of(1, 1, 1, 1, 1, 1, 1, 1)))
                .get(0)
                .summary();

        assertThat(window.conservation())
                .isEqualTo(Conservation.violated(List.of(new Conservation.Violation(1, 4, 5))));
        assertThat(window.summary()).contains("NOT CONSERVED in layer 1: 4 computed, 5 routed × top-k");
    }

    @Test
    void afterALongOutageOfAllTheFoldJumpsOnceRecordsHaveAgreedForSomeTime() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));
        assertThat(feed(gathered(MEMBERS, 3200, 3216, 1), gathered(MEMBERS, 3216, 3232, 1)))
                .isEmpty();
        time += 5_000;

        List<ClosedWindow> jump = feed(gathered(MEMBERS, 3232, 3248, 1));
        List<ClosedWindow> next = feed(gathered(MEMBERS, 3248, 3264, 1));

        assertThat(jump).extracting(window -> window.summary().reason()).containsExactly(CloseReason.RESYNC);
        assertThat(next.get(0).summary().index()).isEqualTo(101);
        assertThat(next.get(0).summary().previousIndex()).isZero();
        assertThat(next.get(0).summary().reason()).isEqualTo(CloseReason.COMPLETE);
        assertThat(jumps).containsExactly("0 to 101");
    }

    @Test
    void oneRecordFromTheFutureMovesNothing() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1), gathered(MEMBERS, 1L << 52, (1L << 52) + 16, 1));
        time += 60_000;

        List<ClosedWindow> closed = feed(gathered(MEMBERS, 16, 32, 1), gathered(MEMBERS, 32, 64, 1));

        assertThat(closed)
                .extracting(window -> window.summary().reason())
                .containsExactly(CloseReason.COMPLETE, CloseReason.COMPLETE);
        assertThat(closed.get(0).summary().rejected()).isEqualTo(1);
    }

    @Test
    void aRankThatRepeatsItselfFromTheFutureMovesNothing() {
        long far = 1L << 40;
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1));
        for (int i = 0; i < 10; i++) {
            time += 10_000;
            assertThat(feed(gathered(MEMBERS, far, far + 16, 1)))
                    .extracting(w -> w.summary().reason())
                    .doesNotContain(CloseReason.RESYNC);
        }
    }

    @Test
    void aWrongJumpHealsWhenAQuorumKeepsSendingEarlierStepsAndNoWindowIsPublishedTwice() {
        long far = 1L << 40;
        List<ClosedWindow> closed = new ArrayList<>(feed(MEMBERS, gathered(MEMBERS, 0, 32, 1)));
        closed.addAll(feed(gathered(MEMBERS, far, far + 16, 1)));
        time += 5_000;
        closed.addAll(feed(gathered(MEMBERS, far + 16, far + 32, 1)));
        for (long step = 64; step < 192; step += 16) {
            closed.addAll(feed(gathered(MEMBERS, step, step + 16, 1)));
            time += 1_000;
        }

        assertThat(closed)
                .extracting(
                        w -> w.summary().index(),
                        w -> w.summary().previousIndex(),
                        w -> w.summary().reason())
                .containsExactly(
                        tuple(0L, -1L, CloseReason.COMPLETE),
                        tuple(1L, 0L, CloseReason.RESYNC),
                        tuple(far / 32, 1L, CloseReason.GAP),
                        tuple(far / 32 + 1, far / 32, CloseReason.RESYNC),
                        tuple(4L, 1L, CloseReason.GAP),
                        tuple(5L, 4L, CloseReason.COMPLETE));
        assertThat(jumps).containsExactly("1 to " + far / 32, far / 32 + 1 + " to 4");
    }

    @Test
    void whatWasHeldBackDuringAnOutageIsFollowedAtOnceAndNotLost() {
        feed(MEMBERS, gathered(MEMBERS, 0, 32, 1));
        List<ClosedWindow> closed = new ArrayList<>();

        for (long step = 3_200; step < 3_200 + 60 * 16; step += 16) { // within 60 ms of append time
            closed.addAll(feed(gathered(MEMBERS, step, step + 16, 1)));
        }

        assertThat(closed).filteredOn(window -> window.summary().complete()).hasSizeGreaterThan(20);
    }

    @Test
    void silenceOfADeploymentThatDiedClosesAllItsWindowsAndItGoesOnWhenItIsBack() {
        feed(MEMBERS, gathered(MEMBERS, 0, 16, 1), ofRank(MEMBERS, 0, 32, 48, 1));
        time += 300_000;
        assertThat(feed(new Tick(ONE))).as("as after an outage of the broker").isEmpty();
        time += 1_000;

        List<ClosedWindow> closed = feed(new Tick(ONE));
        List<ClosedWindow> after = feed(gathered(MEMBERS, 64, 96, 1));

        assertThat(closed)
                .extracting(window -> window.summary().reason())
                .containsExactly(CloseReason.IDLE, CloseReason.IDLE);
        assertThat(fold.checkpoint().nextInputOffset()).isEqualTo(offset);
        assertThat(after).extracting(window -> window.summary().index()).containsExactly(2L);
        assertThat(after.get(0).summary().reason()).isEqualTo(CloseReason.COMPLETE);
    }

    @Test
    void ranksThatAreSilentForGoodStopNoWindowOfTheOthers() {
        Membership four = Samples.members(ONE, 1, 4, 2, 2, 2);
        feed(four, gathered(four, 0, 32, 1));
        List<ClosedWindow> closed = new ArrayList<>();

        for (long step = 32; step < 32 + 40 * 16; step += 16) { // two of four ranks go on, a second for a sample
            time += 1_000;
            closed.addAll(feed(ofRank(four, 0, step, step + 16, 1), ofRank(four, 1, step, step + 16, 1)));
        }

        assertThat(closed)
                .extracting(window -> window.summary().reason())
                .startsWith(CloseReason.TIME, CloseReason.GAP)
                .doesNotContain(CloseReason.RESYNC, CloseReason.IDLE);
        assertThat(closed)
                .hasSize(20)
                .allSatisfy(window -> assertThat(window.summary().accepted())
                        .as("all that the healthy ranks counted")
                        .isEqualTo(2 * 2 * 2 * 2));
        assertThat(fates).containsOnly(Fate.ACCEPTED);
        assertThat(lapses).containsExactly("1 [2, 3]");

        // when they are back
        List<ClosedWindow> back = feed(gathered(four, 32 + 40 * 16, 64 + 40 * 16, 1));

        assertThat(back).extracting(window -> window.summary().reason()).containsExactly(CloseReason.COMPLETE);
        assertThat(fold.sequences().get(0).lapsed().size()).isZero();
    }

    @Test
    void ranksThatAreSilentForGoodStopNoWindowsHoweverShortThoseAre() {
        Membership four = Samples.members(ONE, 1, 4, 2, 2, 1);
        feed(four, gathered(four, 0, 16, 1));
        List<ClosedWindow> closed = new ArrayList<>();

        for (long step = 16;
                step < 16 + 2_000 * 16;
                step += 16) { // a window in 100 ms: eight are over before anybody lapses
            time += 98;
            closed.addAll(feed(ofRank(four, 0, step, step + 16, 1), ofRank(four, 1, step, step + 16, 1)));
        }

        assertThat(closed).hasSizeGreaterThan(1_500);
        assertThat(fold.sequences().get(0).lapsed()).isEqualTo(LongVector.of(2, 3));
    }

    @Test
    void aRecordThatCouldNotBeReadIsNotUsedByASuccessorThatCan() {
        feed(MEMBERS, ofRank(MEMBERS, 0, 0, 16, 1));
        fold.skip(offset);
        long unreadable = offset++;
        feed(ofRank(MEMBERS, 0, 16, 32, 1));

        Fold successor = new Fold(0, offset - 1, fold.sequences(), WindowSettings.DEFAULT, listener);
        successor.fold(1, time, ofRank(MEMBERS, 0, 0, 16, 1));
        successor.fold(unreadable, time, ofRank(MEMBERS, 1, 0, 16, 7));
        successor.fold(3, time, ofRank(MEMBERS, 0, 16, 32, 1));
        List<ClosedWindow> closed = successor
                .fold(4, time, new End(ONE, 1))
                .map(Checkpoint::windows)
                .orElse(List.of());

        assertThat(closed)
                .singleElement()
                .satisfies(window -> assertThat(window.summary().present()).isEqualTo(LongVector.of(2, 0)));
    }

    @Test
    void theFirstWindowIsTheOneOfTheFirstSampleAndSaysSo() {
        feed(MEMBERS);

        WindowSummary first = feed(gathered(MEMBERS, 96, 128, 1)).get(0).summary();

        assertThat(first.index()).isEqualTo(3);
        assertThat(first.previousIndex()).isEqualTo(-1);
        assertThat(first.reason()).isEqualTo(CloseReason.COMPLETE);
        assertThat(first.summary()).contains("the first window: no sample of an earlier one came before");
    }

    @Test
    void anIncarnationFarBeyondTheClockIsRefusedAndALaterOneByTheClockBegins() {
        time = 1_700_000_000_000L;
        long day = 24 * 3600 * 1000L;
        feed(MEMBERS, Samples.members(ONE, time * 1000, 2, 2, 2, 2), Samples.members(ONE, time + 2 * day, 2, 2, 2, 2));
        assertThat(fold.sequences().get(0).members().incarnation()).isEqualTo(1);
        assertThat(fates).containsOnly(Fate.INCARNATION_AHEAD).hasSize(2);

        Membership later = Samples.members(ONE, time + day / 2, 2, 2, 2, 2);
        feed(later);

        assertThat(fold.sequences().get(0).members()).isEqualTo(later);
    }

    @Test
    void aDeploymentThatEndedMakesRoomForANewOneAndTheOneThatEndedFirstGoesFirst() {
        for (int i = 0; i < Fold.MOST_DEPLOYMENTS; i++) {
            Deployment one = new Deployment("d" + i);
            feed(Samples.members(one, 1, 2, 1, 1, 1));
        }
        feed(Samples.members(ONE, 1, 2, 1, 1, 1));
        assertThat(fates).containsExactly(Fate.TOO_MANY_DEPLOYMENTS);
        feed(new End(new Deployment("d9"), 1), new End(new Deployment("d3"), 1));

        Checkpoint checkpoint =
                fold.fold(offset, time, Samples.members(ONE, 1, 2, 1, 1, 1)).orElseThrow();

        assertThat(checkpoint.forgotten()).extracting(Sequence::deployment).containsExactly(new Deployment("d9"));
        assertThat(checkpoint.changed()).extracting(Sequence::deployment).containsExactly(ONE);
        assertThat(fold.deployments()).hasSize(Fold.MOST_DEPLOYMENTS).contains(ONE);
    }

    @Test
    void aCloseKeepsTheStateOfItsDeploymentAlone() {
        Deployment two = new Deployment("two");
        Membership others = Samples.members(two, 1, 2, 2, 2, 2);
        feed(MEMBERS, others, gathered(MEMBERS, 0, 16, 1), gathered(others, 0, 16, 1));

        Checkpoint checkpoint =
                fold.fold(offset, time, gathered(MEMBERS, 16, 32, 1)).orElseThrow();

        assertThat(checkpoint.changed()).extracting(Sequence::deployment).containsExactly(ONE);
        assertThat(checkpoint.nextInputOffset()).isEqualTo(3);
    }

    @Test
    void samplesThatTheOpenWindowsHaveNoRoomForAreRefusedAndCounted() {
        long bytes = OpenWindow.bytesOfWhole(MEMBERS, WindowSettings.DEFAULT) + OpenWindow.bytesOfEmpty(MEMBERS) / 2;
        WindowSettings tight = new WindowSettings(
                90,
                50,
                Duration.ofSeconds(5),
                8,
                8,
                4096,
                Duration.ofMinutes(1),
                Duration.ofSeconds(5),
                16,
                Duration.ofSeconds(15),
                bytes);
        Fold small = new Fold(0, -1, List.of(), tight, listener);
        small.fold(0, time, MEMBERS);
        small.fold(1, time, ofRank(MEMBERS, 0, 0, 16, 1));
        small.fold(2, time, ofRank(MEMBERS, 0, 32, 48, 1));
        small.fold(3, time, ofRank(MEMBERS, 0, 64, 80, 1));

        assertThat(fates).containsExactly(Fate.ACCEPTED, Fate.NO_MEMORY, Fate.NO_MEMORY);
    }

    @Test
    void subWindowsThatASegmentHasNothingInAreNotWritten() {
        Membership eight = Samples.members(ONE, 1, 2, 2, 2, 8);
        feed(eight, gathered(eight, 0, 64, 1));

        ClosedWindow window = feed(flipped(gathered(eight, 64, 128, 3))).get(0);

        assertThat(window.loads()).hasSize(4).allSatisfy(load -> {
            assertThat(load.subWindows()).isEqualTo(8);
            assertThat(load.subSums().parts()).isEqualTo(1);
            assertThat(load.subLoad().size()).isEqualTo(8 * load.load().size());
        });
        assertThat(window.loads()).extracting(LoadWindow::firstSubWindow).containsExactly(3, 7, 3, 7);
    }

    private static LoadSample flipped(LoadSample s) {
        return new LoadSample(
                s.deployment(),
                s.incarnation(),
                s.steps(),
                s.phase(),
                s.emitter(),
                s.firstRank(),
                s.ranks(),
                s.firstLayer(),
                s.layers(),
                s.slotsPerRank(),
                PlacementState.settled(2),
                s.mixed(),
                s.routed(),
                s.load());
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
        assertThat(fold.sequences().get(0).counts().rejected()).isEqualTo(1);
    }

    @Test
    void hostileNumbersAreRejectedAndMoveNoWindow() {
        feed(
                MEMBERS,
                gathered(MEMBERS, 0, Long.MAX_VALUE / 16 * 16, 1),
                gathered(MEMBERS, 0, 16, Long.MAX_VALUE / 8),
                ofRank(Samples.members(ONE, 1, 9, 2, 2, 2), 8, 0, 16, 1),
                Samples.members(ONE, 2, 1000, 1000, 1000, 4096));

        assertThat(fold.sequences().get(0).members()).isEqualTo(MEMBERS);
        assertThat(fold.sequences().get(0).counts().rejected()).isEqualTo(3);
        assertThat(feed(gathered(MEMBERS, 0, 32, 1)).get(0).summary().reason()).isEqualTo(CloseReason.COMPLETE);
    }

    @Test
    void aWideLayerIsCutIntoRecordsOfAtMostTwentyKilobytes() {
        Membership wide = Samples.members(ONE, 1, 128, 1, 16, 8);

        feed(wide);
        List<ClosedWindow> closed = new ArrayList<>();
        for (long step = 0; step < 128; step += 16) {
            closed.addAll(feed(gathered(wide, step, step + 16, 1)));
        }

        assertThat(closed.get(0).loads())
                .hasSize(3)
                .allSatisfy(
                        load -> assertThat(Topic.WINDOWS.encode(load).length).isLessThanOrEqualTo(20_000));
        assertThat(closed.get(0).loads().stream()
                        .mapToInt(load -> load.load().size())
                        .sum())
                .isEqualTo(2048);
    }
}
