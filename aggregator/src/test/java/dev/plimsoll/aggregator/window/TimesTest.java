package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Time that the steps of a window took; two ranks of two layers and one slot, K is 16. */
class TimesTest {
    private static final int K = Samples.K;

    private final Membership members = Samples.members(Samples.ONE, 1, 2, 2, 1, 20);
    private final List<Fate> fates = new ArrayList<>();
    private final Fold fold = Fold.empty(0, WindowSettings.DEFAULT, new FoldListener() {
        @Override
        public void fate(Deployment deployment, Fate fate, long cells, long load) {
            fates.add(fate);
        }
    });
    private long offset;

    private List<WindowSummary> feed(SampleRecord record) {
        return fold.fold(offset++, 1_000 + offset, record).stream()
                .flatMap(checkpoint -> checkpoint.windows().stream().map(ClosedWindow::summary))
                .toList();
    }

    /** A rank's sample of the boundary intervals {@code [from, to)}. */
    private LoadSample sample(
            int rank, int from, int to, int firstLayer, int layers, LongVector busy, LongVector idle) {
        return new LoadSample(
                Samples.ONE,
                1,
                new StepRange((long) from * K, (long) to * K),
                Phase.DECODE,
                "test",
                rank,
                1,
                firstLayer,
                layers,
                1,
                PlacementState.settled(0),
                false,
                LongVector.empty(),
                busy,
                idle,
                Counters.of(new long[layers]));
    }

    private LoadSample timed(int rank, int from, int to, long busy, long idle) {
        return sample(rank, from, to, 0, 2, LongVector.of(busy), LongVector.of(idle));
    }

    private LoadSample untimed(int rank, int from, int to) {
        return sample(rank, from, to, 0, 2, LongVector.empty(), LongVector.empty());
    }

    /** The window behind twenty intervals. */
    private WindowSummary window(LoadSample... samples) {
        feed(members);
        List<WindowSummary> closed = new ArrayList<>();
        for (LoadSample sample : samples) {
            closed.addAll(feed(sample));
        }
        for (int rank = 0; rank < 2 && closed.isEmpty(); rank++) {
            closed.addAll(feed(untimed(rank, 20, 21))); // all are past it: what lacks is a gap
        }
        assertThat(closed).hasSize(1);
        return closed.get(0);
    }

    private StepTime time(LoadSample... samples) {
        return window(samples).stepTime().orElseThrow();
    }

    @Test
    void theSlowestRanksTimeOfEachIntervalIsTheGroups() {
        List<LoadSample> samples = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            samples.add(timed(0, i, i + 1, K * (i == 3 ? 900_000 : 500_000 + 1_000 * i), 0));
            samples.add(timed(1, i, i + 1, K * 505_000, i == 7 ? 2_000 : 0));
        }

        WindowSummary window = window(samples.toArray(LoadSample[]::new));

        StepTime time = window.stepTime().orElseThrow();
        assertThat(time.boundaries()).isEqualTo(20);
        assertThat(time.elapsedNanos()).isEqualTo(LongVector.of(K * 10_587_000, K * 20 * 505_000));
        assertThat(time.idleNanos()).isEqualTo(LongVector.of(0, 2_000));
        assertThat(time.lowestDecileNanos()).isEqualTo(K * 505_000);
        assertThat(window.summary()).contains(", step 0.529 ms (lowest decile 0.505 ms)");
    }

    @Test
    void theLowestDecileIsTheTimeThatATenthOfTheIntervalsDoNotExceed() {
        List<LoadSample> samples = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            samples.add(timed(0, i, i + 1, 100 - i, 0));
            samples.add(timed(1, i, i + 1, 1, 0));
        }

        assertThat(time(samples.toArray(LoadSample[]::new)).lowestDecileNanos()).isEqualTo(82);
    }

    @Test
    void aSampleOverSeveralIntervalsCountsAsSoManyEqualOnesThatAddUpToIt() {
        StepTime time = time(timed(0, 0, 3, 100, 8), timed(0, 3, 20, 17_000, 0), timed(1, 0, 20, 20, 0));

        assertThat(time.boundaries()).isEqualTo(20);
        assertThat(time.elapsedNanos()).isEqualTo(LongVector.of(17_100, 20));
        assertThat(time.idleNanos()).isEqualTo(LongVector.of(8, 0));
        assertThat(time.lowestDecileNanos()).as("of 33, 33, 34 and many 1000").isEqualTo(33);
    }

    @Test
    void anIntervalThatARankHasNotTimedIsLeftOutOfTheSumsOfAll() {
        StepTime time =
                time(untimed(0, 0, 1), timed(0, 1, 20, 1_900, 19), timed(1, 0, 19, 190, 38), untimed(1, 19, 20));

        assertThat(time.boundaries()).isEqualTo(18);
        assertThat(time.elapsedNanos()).isEqualTo(LongVector.of(1_800, 180));
        assertThat(time.idleNanos()).isEqualTo(LongVector.of(18, 36));
    }

    @Test
    void aRankThatIsNotInTheWindowIsNotWaitedFor() {
        assertThat(time(timed(0, 0, 20, 2_000, 0)).elapsedNanos()).isEqualTo(LongVector.of(2_000, 0));
    }

    @Test
    void aRankThatIsInTheWindowAndNeverSaysLeavesItWithoutTime() {
        WindowSummary window = window(timed(0, 0, 20, 2_000, 0), untimed(1, 0, 20));

        assertThat(window.complete()).isTrue();
        assertThat(window.stepTime()).isEmpty();
        assertThat(window.summary()).doesNotContain("step 0");
    }

    @Test
    void layersThatComeApartHaveTheTimeOfTheFirst() {
        LongVector none = LongVector.empty();
        StepTime time = time(
                sample(0, 0, 20, 1, 1, none, none),
                sample(0, 0, 20, 0, 1, LongVector.of(400), LongVector.of(0)),
                timed(1, 0, 20, 200, 0));

        assertThat(time.elapsedNanos()).isEqualTo(LongVector.of(400, 200));
    }

    @Test
    void whatComesAgainWithAnotherTimeIsAConflictAndTheFirstStays() {
        StepTime time = time(
                timed(0, 0, 20, 2_000, 0), timed(0, 0, 20, 2_000, 0), timed(0, 0, 20, 2_001, 0), timed(1, 0, 20, 0, 0));

        assertThat(fates).containsExactly(Fate.ACCEPTED, Fate.DUPLICATE, Fate.CONFLICT, Fate.ACCEPTED);
        assertThat(time.elapsedNanos()).isEqualTo(LongVector.of(2_000, 0));
    }

    @Test
    void timeThatWouldOverflowASumIsRefused() {
        feed(members);
        feed(timed(0, 0, 1, Times.NANOS_LIMIT, 0));
        feed(timed(0, 0, 1, 0, Long.MAX_VALUE));
        feed(timed(0, 0, 20, Times.NANOS_LIMIT - 1, 0));

        assertThat(fates).containsExactly(Fate.TOO_LARGE, Fate.TOO_LARGE, Fate.ACCEPTED);
    }

    @Test
    void theTimeOfASampleThatSpansAFlipBelongsToNoWindow() {
        LoadSample over = timed(0, 0, 2, 1_000_000, 0);
        LoadSample mixed = new LoadSample(
                over.deployment(),
                over.incarnation(),
                over.steps(),
                over.phase(),
                "test",
                0,
                1,
                0,
                2,
                1,
                over.state(),
                true,
                over.routed(),
                over.elapsedNanos(),
                over.idleNanos(),
                over.load());

        StepTime time = time(mixed, timed(0, 2, 20, 1_800, 0), timed(1, 0, 20, 2_000, 0));

        assertThat(time.boundaries()).isEqualTo(18);
        assertThat(time.elapsedNanos()).isEqualTo(LongVector.of(1_800, 1_800));
    }
}
