package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.AggregatorState.Sequence;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import java.util.List;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Folds that are wrong in one decision: the properties have to find a log that shows it. */
@Tag("mutant")
class FoldMutantTest {
    private static final long LOGS = 5_000;
    /** Logs that most wrong folds show themselves on are among the first. */
    private static final long USUAL = 50;
    /** Those that show what few do, tried next so as to be quick. A change of the logs makes others of them, which costs time only. */
    private static final long[] RARE = {427, 161, 117, 78};

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
    void neverCatchingUpWithRanksThatAreAllElsewhereIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean believes(AggregatorState.Astray rank, long now, WindowSettings settings) {
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
        assertFound(FoldVariant.storing((checkpoint, fold) -> new Checkpoint(
                checkpoint.windows(),
                checkpoint.asOf(),
                checkpoint.nextInputOffset(),
                fold.sequences(),
                checkpoint.forgotten())));
    }

    @Test
    void committingAnOffsetWithoutRegardForDeploymentsThatWereNotWrittenIsFound() {
        assertFound(FoldVariant.storing((checkpoint, fold) -> new Checkpoint(
                checkpoint.windows(),
                checkpoint.asOf(),
                checkpoint.changed().stream()
                        .flatMapToLong(state -> state.oldestNeeded().stream())
                        .reduce(checkpoint.asOf() + 1, Math::min),
                checkpoint.changed(),
                checkpoint.forgotten())));
    }

    @Test
    void notWritingTheStateOfTheDeploymentThatClosedIsFound() {
        assertFound(FoldVariant.storing((checkpoint, fold) -> new Checkpoint(
                checkpoint.windows(),
                checkpoint.asOf(),
                checkpoint.nextInputOffset(),
                checkpoint.windows().isEmpty() ? checkpoint.changed() : List.of(),
                checkpoint.forgotten())));
    }

    @Test
    void keepingTheStateOfDeploymentsThatWereForgottenIsFound() {
        assertFound(FoldVariant.storing((checkpoint, fold) -> new Checkpoint(
                checkpoint.windows(),
                checkpoint.asOf(),
                checkpoint.nextInputOffset(),
                checkpoint.changed(),
                List.of())));
    }

    @Test
    void forgettingWhichOffsetsWereExcludedIsFound() {
        assertFound(changing(s -> s.excluded = LongVector.empty()));
    }

    @Test
    void forgettingWhichRanksAreAstrayIsFound() {
        assertFound(changing(s -> s.astray = List.of()));
    }

    @Test
    void forgettingWhatWasCountedIsFound() {
        assertFound(changing(s -> s.counts = AggregatorState.Counts.NONE));
    }

    @Test
    void forgettingWhatWasPublishedBeyondAJumpIsFound() {
        assertFound(changing(s -> s.published = s.published.slice(0, Math.min(2, s.published.size()))));
    }

    @Test
    void forgettingWhenADeploymentWasHeardLastIsFound() {
        assertFound(changing(s -> s.grownAt = OptionalLong.empty()));
    }

    @Test
    void replayingRecordsThatNoOpenWindowHoldsIsFound() {
        assertFound(changing(s -> s.oldestNeeded = OptionalLong.of(0)));
    }

    @Test
    void silenceThatIsMeasuredByAClockOfOnesOwnIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            private long asked;

            @Override
            boolean idle(long silentMillis, long witnessedMillis, WindowSettings settings) {
                return ++asked % 40 == 0; // as often as a clock may tick while records are read
            }
        }));
    }

    @Test
    void takingTheFirstRecordAfterALongSilenceForProofOfItIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean idle(long silentMillis, long witnessedMillis, WindowSettings settings) {
                return silentMillis >= settings.idleTime().toMillis();
            }
        }));
    }

    @Test
    void forgettingThatSilenceWasWitnessedIsFound() {
        assertFound(changing(s -> s.heardAt = s.grownAt));
    }

    @Test
    void waitingForEverForADeploymentThatDiedIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean idle(long silentMillis, long witnessedMillis, WindowSettings settings) {
                return false;
            }
        }));
    }

    @Test
    void followingRanksAfterOneRecordIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean believes(AggregatorState.Astray rank, long now, WindowSettings settings) {
                return now - rank.sinceMillis() >= settings.resyncTime().toMillis();
            }
        }));
    }

    @Test
    void followingRanksAtOnceIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean believes(AggregatorState.Astray rank, long now, WindowSettings settings) {
                return rank.records() >= 2;
            }
        }));
    }

    @Test
    void losingWhatWasHeldBackDuringAnOutageIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean believes(AggregatorState.Astray rank, long now, WindowSettings settings) {
                return rank.records() >= 2
                        && now - rank.sinceMillis() >= settings.resyncTime().toMillis();
            }
        }));
    }

    @Test
    void neverGoingBackIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean returns() {
                return false;
            }
        }));
    }

    @Test
    void beginningWithWindowZeroWhateverComesIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            long begins(long window) {
                return 0;
            }
        }));
    }

    @Test
    void waitingForEverForRanksThatDiedWhileOthersGoOnIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean lapses(long silentMillis, long othersMillis, WindowSettings settings) {
                return false;
            }
        }));
    }

    @Test
    void takingTheFirstRecordAfterAnOutageForProofThatOthersAreSilentIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean lapses(long silentMillis, long othersMillis, WindowSettings settings) {
                return silentMillis >= settings.silentTime().toMillis();
            }
        }));
    }

    @Test
    void waitingForEverForAQuorumWithRanksThatAreGoneIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean followsTheRest(long millis, WindowSettings settings) {
                return false;
            }
        }));
    }

    @Test
    void followingOneRankWhereMoreAreTogetherIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            int together(int enough, int mostTogether) {
                return enough;
            }
        }));
    }

    @Test
    void neverWaitingAgainForRanksThatAreBackIsFound() {
        assertFound(FoldVariant.ruledBy(() -> new FoldRules() {
            @Override
            boolean waitsAgain() {
                return false;
            }
        }));
    }

    @Test
    void forgettingWhichRanksAreNotWaitedForIsFound() {
        assertFound(changing(s -> s.lapsed = LongVector.empty()));
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
                                    window.subtract((LoadSample) first, rank);
                                    window.add(sample, rank);
                                });
                    }
                },
                FoldVariant.RIGHT.recovered(),
                FoldVariant.RIGHT.store()));
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

    /** The parts of a state that recovery may get wrong. */
    private static final class Draft {
        LongVector published;
        OptionalLong oldestNeeded;
        OptionalLong grownAt;
        OptionalLong heardAt;
        LongVector excluded;
        List<AggregatorState.Astray> astray;
        LongVector lapsed;
        AggregatorState.Counts counts;

        Draft(Sequence from) {
            published = from.published();
            oldestNeeded = from.oldestNeeded();
            grownAt = from.grownAt();
            heardAt = from.heardAt();
            excluded = from.excluded();
            astray = from.astray();
            lapsed = from.lapsed();
            counts = from.counts();
        }
    }

    private static FoldVariant changing(Consumer<Draft> change) {
        return FoldVariant.recovering(s -> {
            Draft draft = new Draft(s);
            change.accept(draft);
            return new Sequence(
                    s.members(),
                    s.asOf(),
                    s.firstOpen(),
                    s.closedBy(),
                    draft.published,
                    s.endedBy(),
                    s.truncated(),
                    draft.oldestNeeded,
                    draft.grownAt,
                    draft.heardAt,
                    draft.excluded,
                    draft.astray,
                    draft.lapsed,
                    draft.counts);
        });
    }

    private static void assertFound(FoldVariant mutant) {
        long seed = LongStream.concat(
                        LongStream.concat(LongStream.rangeClosed(1, USUAL), LongStream.of(RARE)),
                        LongStream.rangeClosed(USUAL + 1, LOGS))
                .filter(tried -> violates(tried, mutant))
                .findFirst()
                .orElseThrow(
                        () -> new AssertionError("no log of " + LOGS + " tells this wrong fold from the right one"));
        assertThat(FoldProperties.violation(seed, FoldVariant.RIGHT, true))
                .as("the right fold on the same log")
                .isEmpty();
    }

    private static boolean violates(long seed, FoldVariant mutant) {
        try {
            return FoldProperties.violation(seed, mutant, true).isPresent();
        } catch (RuntimeException broken) {
            return true;
        }
    }
}
