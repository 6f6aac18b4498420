package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import java.util.Arrays;
import java.util.NavigableSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Folds that are wrong in one decision: the properties have to find a log that shows it. */
@Tag("mutant")
class FoldMutantTest {
    private static final long LOGS = 5_000;

    @Test
    void skippingToTheNextWindowThatIsNotEmptyIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            long next(long closed, NavigableSet<Long> open) {
                Long next = open.higher(closed);
                return next == null ? closed + 1 : next;
            }
        }));
    }

    @Test
    void neverCatchingUpWithRanksThatAreAllFarAheadIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean resyncs(int ranksTooFar, int quorum) {
                return false;
            }
        }));
    }

    @Test
    void timeThatIsTheMaximumSeenIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            private long max = Long.MIN_VALUE;

            @Override
            long clock(long appendTimeMillis) {
                max = Math.max(max, appendTimeMillis);
                return max;
            }
        }));
    }

    @Test
    void stateAsOfTheReadPositionIsFound() {
        assertFound(new FoldVariant(FoldVariant.RIGHT.rules(), state -> state, true));
    }

    @Test
    void forgettingWhichOffsetsWereExcludedIsFound() {
        assertFound(recovering(s -> new AggregatorState.Sequence(
                s.members(),
                s.firstOpen(),
                s.closedBy(),
                s.previousIndex(),
                s.ended(),
                s.truncated(),
                s.oldestNeeded(),
                LongVector.empty(),
                s.farthest(),
                s.counts())));
    }

    @Test
    void forgettingWhichRanksAreFarAheadIsFound() {
        assertFound(recovering(s -> {
            long[] none = new long[s.farthest().size()];
            Arrays.fill(none, -1);
            return new AggregatorState.Sequence(
                    s.members(),
                    s.firstOpen(),
                    s.closedBy(),
                    s.previousIndex(),
                    s.ended(),
                    s.truncated(),
                    s.oldestNeeded(),
                    s.excluded(),
                    LongVector.of(none),
                    s.counts());
        }));
    }

    @Test
    void forgettingWhatWasCountedIsFound() {
        assertFound(recovering(s -> new AggregatorState.Sequence(
                s.members(),
                s.firstOpen(),
                s.closedBy(),
                s.previousIndex(),
                s.ended(),
                s.truncated(),
                s.oldestNeeded(),
                s.excluded(),
                s.farthest(),
                AggregatorState.Counts.NONE)));
    }

    @Test
    void replayingRecordsThatNoOpenWindowHoldsIsFound() {
        assertFound(recovering(s -> new AggregatorState.Sequence(
                s.members(),
                s.firstOpen(),
                s.closedBy(),
                s.previousIndex(),
                s.ended(),
                s.truncated(),
                0,
                s.excluded(),
                s.farthest(),
                s.counts())));
    }

    @Test
    void theLastOfConflictingCellsWinningIsFound() {
        assertFound(new FoldVariant(
                log -> () -> new FoldRules() {
                    @Override
                    void onConflict(OpenWindow window, LoadSample sample, int rank) {
                        log.entries.stream()
                                .map(RandomLog.Entry::record)
                                .filter(record -> record instanceof LoadSample first
                                        && first.deployment().equals(sample.deployment())
                                        && first.incarnation() == sample.incarnation()
                                        && first.steps().equals(sample.steps())
                                        && first.state().equals(sample.state())
                                        && first.firstRank() == sample.firstRank()
                                        && first.firstLayer() == sample.firstLayer()
                                        && first.layers() == sample.layers()
                                        && !first.mixed()
                                        && !sample.mixed()
                                        && first.ranks() == sample.ranks())
                                .findFirst()
                                .ifPresent(first -> {
                                    window.add((LoadSample) first, rank, -1);
                                    window.add(sample, rank, 1);
                                });
                    }
                },
                state -> state,
                false));
    }

    @Test
    void attributingSamplesThatSpanAFlipIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean attributable(LoadSample sample) {
                return true;
            }
        }));
    }

    @Test
    void startingTheTimerOnlyOnceAWindowIsTheFirstOpenOneIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean startsTimer(long window, long firstOpen) {
                return window == firstOpen;
            }
        }));
    }

    private static FoldVariant recovering(UnaryOperator<AggregatorState.Sequence> change) {
        return new FoldVariant(
                FoldVariant.RIGHT.rules(),
                state -> new AggregatorState(
                        state.partition(),
                        state.asOf(),
                        state.sequences().stream().map(change).toList()),
                false);
    }

    private static void assertFound(FoldVariant mutant) {
        for (long seed = 1; seed <= LOGS; seed++) {
            if (violates(seed, mutant)) {
                assertThat(FoldProperties.violation(seed, FoldVariant.RIGHT, true))
                        .as("the right fold on the same log")
                        .isEmpty();
                return;
            }
        }
        throw new AssertionError("no log of " + LOGS + " tells this wrong fold from the right one");
    }

    private static boolean violates(long seed, FoldVariant mutant) {
        try {
            return FoldProperties.violation(seed, mutant, true).isPresent();
        } catch (RuntimeException broken) {
            return true;
        }
    }
}
