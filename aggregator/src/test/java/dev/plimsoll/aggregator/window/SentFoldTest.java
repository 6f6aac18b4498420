package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Samples of what every rank's routers sent to all slots, which the fold adds up over ranks. */
class SentFoldTest {
    private static final int RANKS = 4;
    private static final int LAYERS = 5;
    private static final int WIDTH = 3;
    private static final int SLOTS = RANKS * WIDTH;
    private static final int BOUNDARIES = 4;
    private static final Membership GATHERS = Samples.members(Samples.ONE, 1, RANKS, LAYERS, WIDTH, BOUNDARIES)
            .withTraits(EngineTraits.USUAL.withLoad(LoadKind.ROUTED_TO));
    private static final Membership MEMBERS = GATHERS.withTopology(GATHERS.topology(), GatherMode.NONE);

    private final Map<Fate, Long> fates = new EnumMap<>(Fate.class);
    private final Fold fold = Fold.empty(0, WindowSettings.DEFAULT, new FoldListener() {
        @Override
        public void fate(Deployment deployment, Fate fate, long count, long load) {
            fates.merge(fate, count, Long::sum);
        }
    });
    private long offset;

    @Test
    void windowOfWhatFourRanksSentIsWhatWasComputedToTheToken() {
        for (int seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            Fold of = Fold.empty(0, WindowSettings.DEFAULT, new FoldListener() {});
            of.fold(0, 0, MEMBERS);
            long[][] computed = new long[LAYERS][SLOTS];
            List<LoadSample> samples = new ArrayList<>();
            int[] next = new int[RANKS];
            while (Arrays.stream(next).anyMatch(boundary -> boundary < BOUNDARIES)) {
                int rank = random.nextInt(RANKS);
                if (next[rank] < BOUNDARIES) {
                    // A rank may have missed a snapshot.
                    int to = next[rank] + 1 + random.nextInt(BOUNDARIES - next[rank]);
                    long most = random.nextInt(4) == 0 ? 1L << 33 : 1 << 1 + random.nextInt(20);
                    samples.add(sent(MEMBERS, rank, next[rank], to, random, most, computed));
                    next[rank] = to;
                }
            }

            List<ClosedWindow> windows = new ArrayList<>();
            for (int i = 0; i < samples.size(); i++) {
                assertThat(windows)
                        .as("closed before all source ranks came, seed %s", seed)
                        .isEmpty();
                of.fold(1 + i, 1 + i, samples.get(i)).ifPresent(closed -> windows.addAll(closed.windows()));
            }

            assertThat(windows).as("seed %s", seed).hasSize(1);
            WindowSummary summary = windows.get(0).summary();
            assertThat(summary.reason()).isEqualTo(CloseReason.COMPLETE);
            assertThat(summary.conservation()).as("seed %s", seed).isEqualTo(Conservation.YES);
            long[][] loads = new long[LAYERS][];
            for (LoadWindow load : windows.get(0).loads()) {
                loads[load.layer()] = load.load().toArray();
                assertThat(addedUp(load))
                        .as("sub-windows, seed %s", seed)
                        .isEqualTo(load.load().toArray());
            }
            assertThat(loads).as("seed %s", seed).isDeepEqualTo(computed);
        }
    }

    private static long[] addedUp(LoadWindow window) {
        long[] sums = new long[SLOTS];
        for (int i = 0; i < window.subLoad().size(); i++) {
            sums[i % SLOTS] += window.subLoad().at(i);
        }
        return sums;
    }

    private static LoadSample sent(
            Membership members, int rank, int from, int to, Random random, long most, long[][] computed) {
        long[] sent = new long[LAYERS * SLOTS];
        long[] routed = new long[LAYERS];
        for (int i = 0; i < sent.length; i++) {
            sent[i] = random.nextLong(most);
            routed[i / SLOTS] += sent[i];
            computed[i / SLOTS][i % SLOTS] += sent[i];
        }
        return Samples.sentBy(members, rank, 16L * from, 16L * to, LongVector.of(routed), sent);
    }

    /** As the trial's recipe would be seen, had it said what was routed: a rank's own columns of what it sent, and nobody adds up. */
    @Test
    void ownColumnsOfWhatWasSentAreNotConserved() {
        Membership wrong = MEMBERS.withTraits(EngineTraits.USUAL);
        feed(wrong);
        long routedInAll = 0;
        long seen = 0;
        List<WindowSummary> closed = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            // Every rank sends as many to each of 12 slots.
            long[] own = new long[LAYERS * WIDTH];
            Arrays.fill(own, 953);
            long[] routed = new long[LAYERS];
            Arrays.fill(routed, 953L * SLOTS);
            seen += 953L * own.length;
            routedInAll += 953L * SLOTS * LAYERS;
            closed.addAll(feed(
                    Samples.block(wrong, 0, 64, rank, 1, 0, LAYERS, false, LongVector.of(routed), Counters.of(own))));
        }

        assertThat(seen * RANKS).isEqualTo(routedInAll);
        assertThat(closed).singleElement().satisfies(window -> {
            assertThat(window.complete()).isTrue();
            assertThat(window.conservation().violations())
                    .hasSize(LAYERS)
                    .contains(new Conservation.Violation(2, 953 * SLOTS, 953L * SLOTS * RANKS));
        });
    }

    /** As the same recipe was run: nothing was said of what was routed, and a window with 48,795 of 182,976 tokens called itself conserved. */
    @Test
    void windowWhoseTokensWereComparedWithNothingIsUnknown() {
        Membership wrong = MEMBERS.withTraits(EngineTraits.USUAL);
        feed(wrong);
        List<WindowSummary> closed = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            closed.addAll(feed(Samples.ofRank(wrong, rank, 0, 64, 953)));
        }

        assertThat(closed).singleElement().satisfies(window -> {
            assertThat(window.complete()).isTrue();
            assertThat(window.conservation()).isEqualTo(Conservation.UNKNOWN);
            assertThat(window.summary()).contains("conservation unknown");
        });
    }

    @Test
    void sourceRankThatIsMissingLeavesTheWindowOpenAndThenIncomplete() {
        feed(MEMBERS);
        for (int rank = 0; rank < RANKS - 1; rank++) {
            assertThat(feed(sentBy(MEMBERS, rank, 0, 64))).isEmpty();
        }
        List<WindowSummary> closed = new ArrayList<>();
        for (int rank = 0; rank < RANKS - 1; rank++) {
            closed.addAll(feed(sentBy(MEMBERS, rank, 64, 64 * 6)));
            closed.addAll(feed(sentBy(MEMBERS, rank, 64 * 6, 64 * 7)));
        }
        closed.addAll(feed(sentBy(MEMBERS, RANKS - 1, 64 * 6, 64 * 7)));

        assertThat(closed).isNotEmpty();
        assertThat(closed.get(0).complete()).isFalse();
        assertThat(closed.get(0).present()).isEqualTo(LongVector.of(4, 4, 4, 0));
        assertThat(closed.get(0).conservation()).isEqualTo(Conservation.UNKNOWN);
    }

    @Test
    void equalSourceIsADuplicateAndAnotherOneAConflict() {
        feed(MEMBERS);
        feed(sentBy(MEMBERS, 1, 0, 16));
        feed(sentBy(MEMBERS, 1, 0, 16));
        long[] other = new long[LAYERS * SLOTS];
        other[0] = 1;
        feed(Samples.sentBy(MEMBERS, 1, 0, 16, LongVector.empty(), other));

        assertThat(fates)
                .containsOnly(
                        Map.entry(Fate.ACCEPTED, 1L), Map.entry(Fate.DUPLICATE, 1L), Map.entry(Fate.CONFLICT, 1L));
    }

    @Test
    void kindThatTheEngineDoesNotGiveIsRejected() {
        feed(MEMBERS);
        feed(Samples.ofRank(MEMBERS, 0, 0, 16, 1));
        Membership computes = Samples.members(new Deployment("other"), 1, RANKS, LAYERS, WIDTH, BOUNDARIES);
        feed(computes);
        feed(sentBy(computes, 0, 0, 16));

        assertThat(fates).containsOnly(Map.entry(Fate.KIND, 2L));
    }

    /** A rank that has lost its group tells what it sent: exact again, but nothing that a window of sums may be mixed with. */
    @Test
    void windowIsMadeOfOneKind() {
        feed(GATHERS);
        feed(Samples.gathered(GATHERS, 0, 16, 2));
        for (int rank = 0; rank < RANKS; rank++) {
            feed(sentBy(GATHERS, rank, 32, 48));
        }
        assertThat(fates).containsOnly(Map.entry(Fate.ACCEPTED, 4L), Map.entry(Fate.KIND, 4L));

        List<WindowSummary> closed = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            closed.addAll(feed(sentBy(GATHERS, rank, 64, 128)));
        }

        assertThat(closed).hasSize(2);
        assertThat(closed.get(0).complete()).isFalse();
        assertThat(closed.get(0).accepted()).isEqualTo(2L * LAYERS * SLOTS);
        assertThat(closed.get(1).complete()).isTrue();
        assertThat(closed.get(1).accepted()).isEqualTo((long) RANKS * LAYERS * SLOTS);
    }

    private static LoadSample sentBy(Membership members, int rank, long from, long to) {
        long[] sent = new long[LAYERS * SLOTS];
        Arrays.fill(sent, 1);
        return Samples.sentBy(members, rank, from, to, LongVector.empty(), sent);
    }

    private List<WindowSummary> feed(SampleRecord record) {
        List<WindowSummary> closed = new ArrayList<>();
        fold.fold(offset, offset, record)
                .ifPresent(result -> result.windows().forEach(window -> closed.add(window.summary())));
        offset++;
        return closed;
    }
}
