package dev.plimsoll.aggregator.window;

import static dev.plimsoll.aggregator.window.Samples.ONE;
import static dev.plimsoll.aggregator.window.Samples.gathered;
import static dev.plimsoll.aggregator.window.Samples.ofRank;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** Valid records that somebody wrote to do harm, and clocks that are wrong: which windows they can move, and what they cost. */
class HostileLogTest {
    private static final Membership FOUR = Samples.members(ONE, 1, 4, 2, 2, 2);
    private static final long HOUR = 3_600_000;

    private final List<Fate> fates = new ArrayList<>();
    private final FoldListener listener = new FoldListener() {
        @Override
        public void fate(Deployment deployment, Fate fate, long cells, long load) {
            fates.add(fate);
        }
    };
    private Fold fold = Fold.empty(0, WindowSettings.DEFAULT, listener);
    private long offset;
    private long time = 1_700_000_000_000L;

    private List<WindowSummary> feed(SampleRecord... records) {
        List<WindowSummary> closed = new ArrayList<>();
        for (SampleRecord record : records) {
            fold.fold(offset++, time += 10, record)
                    .ifPresent(checkpoint -> checkpoint.windows().forEach(window -> closed.add(window.summary())));
        }
        return closed;
    }

    /** The next window of all ranks, which nothing that came before may have moved. */
    private void assertUnmoved(long window) {
        fates.clear();
        assertThat(feed(gathered(FOUR, 32 * window, 32 * window + 32, 1)))
                .singleElement()
                .satisfies(closed -> {
                    assertThat(closed.index()).isEqualTo(window);
                    assertThat(closed.reason()).isEqualTo(CloseReason.COMPLETE);
                });
        assertThat(fates).containsOnly(Fate.ACCEPTED);
    }

    @Test
    void stepsAtTheEndOfNumbersMoveNoWindow() {
        feed(FOUR, gathered(FOUR, 0, 32, 1));
        long last = Long.MAX_VALUE / 16 * 16;

        List<WindowSummary> closed = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            closed.addAll(feed(
                    gathered(FOUR, last - 16, last, 1),
                    gathered(FOUR, 0, last, 1),
                    ofRank(FOUR, 0, Long.MAX_VALUE - 1, Long.MAX_VALUE, 1)));
        }

        assertThat(closed).isEmpty();
        assertThat(fates).filteredOn(fate -> fate != Fate.ACCEPTED).containsOnly(Fate.OFF_BOUNDARY);
        assertUnmoved(1);
    }

    @Test
    void oneRankOfTenThatJumpsAMillionWindowsAheadCostsItsOwnCellsAndMovesNobodyElse() {
        Membership ten = Samples.members(ONE, 1, 10, 1, 1, 2);
        feed(ten, gathered(ten, 0, 32, 1));
        long far = 32 * 1_000_000;

        List<WindowSummary> closed = new ArrayList<>();
        for (long step = 32; step < 32 + 16 * 200; step += 16) {
            for (int i = 0; i < 25; i++) {
                far += 32;
                closed.addAll(feed(ofRank(ten, 0, far, far + 32, 1)));
            }
            for (int rank = 1; rank < 10; rank++) {
                closed.addAll(feed(ofRank(ten, rank, step, step + 16, 1)));
            }
        }

        assertThat(closed).hasSizeGreaterThan(90).allSatisfy(window -> {
            assertThat(window.reason()).isNotIn(CloseReason.RESYNC, CloseReason.IDLE);
            assertThat(window.previousIndex()).isEqualTo(window.index() - 1);
            assertThat(window.present().toArray()).containsExactly(0, 2, 2, 2, 2, 2, 2, 2, 2, 2);
        });
        assertThat(fold.sequences().get(0).excluded().size())
                .as("what is remembered of the others")
                .isLessThanOrEqualTo(WindowSettings.DEFAULT.rememberedRejects());
    }

    /** Four are too few for a quorum without one; they once followed it, as one is enough where nobody else is heard of. */
    @Test
    void oneRankOfFourThatJumpsAMillionWindowsAheadIsNotFollowed() {
        Membership four = Samples.members(ONE, 1, 4, 1, 1, 2);
        feed(four, gathered(four, 0, 32, 1));
        long far = 32 * 1_000_000;
        long step = 32;

        List<WindowSummary> closed = new ArrayList<>();
        for (int round = 0; round < 400; round++, step += 16) {
            time += 250; // eight windows take 4 s
            far += 32;
            closed.addAll(feed(ofRank(four, 3, far, far + 32, 1)));
            for (int rank = 0; rank < 3; rank++) {
                closed.addAll(feed(ofRank(four, rank, step, step + 16, 1)));
            }
        }

        long last = step;
        assertThat(closed)
                .hasSizeGreaterThan(100)
                .allSatisfy(window ->
                        assertThat(window.steps().to()).as(window.summary()).isLessThanOrEqualTo(last));
        assertThat(closed.get(closed.size() - 1).steps().to()).isGreaterThan(last - 32 * 10);
    }

    @Test
    void recordsOfAMillionIncarnationsLaterOrEarlierMoveNothing() {
        Membership now = Samples.members(ONE, 5_000_000, 4, 2, 2, 2);
        Membership later = Samples.members(ONE, 6_000_000, 4, 2, 2, 2);
        Membership earlier = Samples.members(ONE, 4_000_000, 4, 2, 2, 2);
        feed(now, gathered(now, 0, 16, 1));
        fates.clear();

        List<WindowSummary> closed = feed(
                gathered(later, 0, 32, 1),
                new End(ONE, 6_000_000),
                gathered(earlier, 0, 32, 1),
                earlier,
                new End(ONE, 1));

        assertThat(closed).isEmpty();
        assertThat(fates)
                .containsExactly(
                        Fate.PREMATURE_INCARNATION,
                        Fate.PREMATURE_INCARNATION,
                        Fate.STALE_INCARNATION,
                        Fate.STALE_INCARNATION,
                        Fate.STALE_INCARNATION);
        assertThat(feed(gathered(now, 16, 32, 1))).singleElement().matches(WindowSummary::complete);
    }

    @Test
    void theLargestCountersThatAreTakenAddUpWithoutOverflowAndTheNextLargerAreRefused() {
        long largest = (1L << 34) - 1;
        Membership wide = Samples.members(ONE, 1, 64, 1, 16, 64);
        feed(wide);
        List<WindowSummary> closed = new ArrayList<>();
        for (long step = 0; step < 64 * 16; step += 16) {
            closed.addAll(feed(gathered(wide, step, step + 16, largest)));
        }
        assertThat(closed).singleElement().satisfies(window -> {
            assertThat(window.complete()).isTrue();
            assertThat(window.conservation()).isEqualTo(Conservation.YES);
            assertThat(window.tokens()).isEqualTo(largest * 64 * 16 * 64); // top 1, one layer
        });
        fates.clear();

        feed(
                gathered(wide, 1024, 1040, largest + 1),
                gathered(wide, 1024, 1040, 1L << 50),
                gathered(wide, 1024, 1040, Long.MAX_VALUE / 4096));

        assertThat(fates).containsOnly(Fate.TOO_LARGE).hasSize(3);
    }

    @Test
    void aPartitionThatIsWrittenASecondTimeClosesNothingAndCountsNothingTwice() {
        List<SampleRecord> log = new ArrayList<>();
        log.add(FOUR);
        for (long step = 0; step < 320; step += 16) {
            for (int rank = 0; rank < 4; rank++) {
                log.add(ofRank(FOUR, rank, step, step + 16, 3));
            }
        }
        log.add(ofRank(FOUR, 1, 320, 336, 3)); // of the window that is open
        assertThat(feed(log.toArray(SampleRecord[]::new))).hasSize(10);
        fates.clear();

        List<WindowSummary> again = feed(log.toArray(SampleRecord[]::new));

        assertThat(again).isEmpty();
        assertThat(fates).hasSize(81).containsOnly(Fate.LATE, Fate.DUPLICATE);
        assertThat(fates).filteredOn(Fate.DUPLICATE::equals).hasSize(1);
        assertUnmoved(10, 3);
    }

    private void assertUnmoved(long window, long value) {
        List<WindowSummary> closed = new ArrayList<>();
        for (int rank = 0; rank < 4; rank++) {
            closed.addAll(feed(ofRank(FOUR, rank, 32 * window, 32 * window + 16, value)));
        }
        closed.addAll(feed(gathered(FOUR, 32 * window + 16, 32 * window + 32, value)));
        assertThat(closed).singleElement().satisfies(one -> {
            assertThat(one.complete()).isTrue();
            assertThat(one.index()).isEqualTo(window);
        });
    }

    @Test
    void aFloodOfNamesLeavesNothingBehindAndDisturbsNobody() {
        feed(FOUR, gathered(FOUR, 0, 32, 1));
        IntFunction<Deployment> name = i -> new Deployment("flood-" + i);
        Membership shape = Samples.members(name.apply(0), 1, 1, 1, 1, 2);
        for (int i = 0; i < 200_000; i++) {
            Deployment deployment = name.apply(i);
            SampleRecord record = i % 3 == 0
                    ? new Tick(deployment)
                    : i % 3 == 1
                            ? new End(deployment, 1)
                            : gathered(i % 300 == 2 ? shape : Samples.members(deployment, 1, 1, 1, 1, 2), 0, 16, 1);
            feed(record);
        }
        assertThat(fold.deployments()).containsExactly(ONE);
        assertThat(fates).filteredOn(fate -> fate != Fate.ACCEPTED).containsOnly(Fate.UNKNOWN_DEPLOYMENT);

        fates.clear();
        for (int i = 0; i < 10_000; i++) {
            feed(Samples.members(name.apply(i), 1, 1, 1, 1, 2));
        }

        assertThat(fold.deployments()).hasSize(Fold.MOST_DEPLOYMENTS).contains(ONE);
        assertThat(fates).containsOnly(Fate.TOO_MANY_DEPLOYMENTS).hasSize(10_000 - Fold.MOST_DEPLOYMENTS + 1);
        assertUnmoved(1);
    }

    /** A log in good order, as four ranks write it, with the clock of the brokers stepping somewhere: every place and both ways. */
    @Test
    void aBrokersClockThatStepsByAnHourClosesNoWindowOfRanksThatAllReport() {
        for (long step : new long[] {HOUR, -HOUR}) {
            for (int at = 1; at < 50; at++) {
                fold = Fold.empty(0, WindowSettings.DEFAULT, listener);
                offset = 0;
                time = 1_700_000_000_000L;
                List<WindowSummary> closed = new ArrayList<>(feed(FOUR));
                int records = 0;
                for (long boundary = 0; boundary < 12; boundary++) {
                    for (int rank = 0; rank < 4; rank++) {
                        time += ++records == at ? step : 0;
                        closed.addAll(feed(ofRank(FOUR, rank, 16 * boundary, 16 * boundary + 16, 1)));
                    }
                }
                assertThat(closed).as("by " + step + " at " + at).hasSize(6).allMatch(WindowSummary::complete);
            }
        }
    }

    @Test
    void aClockThatStepsAheadClosesWindowsThatAQuorumHasPassedAndNoOthers() {
        Membership ten = Samples.members(ONE, 1, 10, 1, 1, 2);
        feed(ten);
        for (int rank = 0; rank < 9; rank++) {
            feed(ofRank(ten, rank, 0, 32, 1)); // a quorum is past window 0
        }
        for (int rank = 0; rank < 4; rank++) {
            feed(ofRank(ten, rank, 32, 64, 1)); // a minority is past window 1
        }
        time += HOUR;

        List<WindowSummary> closed = feed(ofRank(ten, 4, 32, 64, 1));

        assertThat(closed)
                .extracting(window -> window.index() + " " + window.reason())
                .containsExactly("0 TIME");
        List<WindowSummary> rest = new ArrayList<>();
        for (int rank = 5; rank < 10; rank++) {
            rest.addAll(feed(ofRank(ten, rank, 32, 64, 1)));
        }
        assertThat(rest).singleElement().matches(WindowSummary::complete);
    }

    @Test
    void aClockThatStepsBackPutsOffATimeOutAndCutsNoneShort() {
        Membership ten = Samples.members(ONE, 1, 10, 1, 1, 2);
        feed(ten);
        for (int rank = 0; rank < 9; rank++) {
            feed(ofRank(ten, rank, 0, 32, 1));
        }
        time -= HOUR;

        assertThat(feed(new Tick(ONE), new Tick(ONE))).isEmpty();
        assertThat(feed(ofRank(ten, 9, 0, 32, 1))).singleElement().matches(WindowSummary::complete);
    }
}
