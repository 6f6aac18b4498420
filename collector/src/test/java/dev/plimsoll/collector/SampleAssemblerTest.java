package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SampleAssemblerTest {
    private static final Ring.Writer PROCESS = new Ring.Writer(1, 1);

    private final List<String> told = new ArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onReset(int rank, long step) {
            told.add("reset " + rank + " at " + step);
        }

        @Override
        public void onStartedUnderWay(long step) {
            told.add("under way at " + step);
        }
    };
    private final SampleAssembler assembler = assembler(Snapshots.MEMBERS, true);

    @Test
    void ranksOfOtherNodesAreLeftToTheirCollectors() {
        SampleAssembler ofTwo = new SampleAssembler(Snapshots.MEMBERS, "test", true, listener);
        ofTwo.own(0);
        ofTwo.own(2);

        List<LoadSample> samples = ofTwo.add(0, Snapshots.at(1, 16));

        assertThat(samples).extracting(LoadSample::firstRank).containsExactly(0, 2);
        assertThat(samples).extracting(LoadSample::ranks).containsOnly(1);
        assertThat(samples)
                .as("what the routers of these ranks sent")
                .allSatisfy(sample -> assertThat(sample.routed()).isEqualTo(LongVector.of(64, 64)));
    }

    @Test
    void whatTheEngineMovedByItselfBelongsToNoWindow() {
        assembler.add(0, Snapshots.at(1, 16));

        List<LoadSample> samples = assembler.add(0, mixed(Snapshots.at(2, 32), 1));

        assertThat(samples).extracting(LoadSample::mixed).containsExactly(false, true, false);
    }

    @Test
    void mixedStepsOfASnapshotWithoutHeatAreInTheNextSample() {
        assembler.add(0, Snapshots.at(1, 16));
        assembler.add(0, mixed(Snapshots.marker(Snapshots.at(2, 32), 1), 1));

        assertThat(assembler.add(0, Snapshots.at(3, 48)))
                .filteredOn(sample -> sample.firstRank() == 1)
                .singleElement()
                .satisfies(sample -> {
                    assertThat(sample.steps()).isEqualTo(new StepRange(16, 48));
                    assertThat(sample.mixed()).isTrue();
                });
        assertThat(assembler.add(0, Snapshots.at(4, 64)))
                .extracting(LoadSample::mixed)
                .containsOnly(false);
    }

    @Test
    void votesThatNobodySawMayHaveBeenMixedWhereTheEngineMovesExperts() {
        Membership moves = Snapshots.MEMBERS.withTraits(EngineTraits.USUAL.withMovesWeights(true));
        for (Membership members : List.of(moves, Snapshots.MEMBERS)) {
            SampleAssembler of = assembler(members, true);
            of.add(0, Snapshots.at(1, 16));

            assertThat(of.add(0, Snapshots.at(3, 48)))
                    .extracting(LoadSample::mixed)
                    .containsOnly(members == moves);
        }
    }

    @Test
    void fallOfOneRanksCountersIsNotHiddenBySums() {
        assembler.add(0, reset(Snapshots.at(1, 16), 0));

        assertThat(assembler.add(0, reset(Snapshots.at(2, 32), 1))).isEmpty();

        assertThat(told).containsExactly("reset 0 at 32", "reset 1 at 32", "reset 2 at 32");
        assertThat(assembler.add(0, reset(Snapshots.at(3, 48), 1)))
                .singleElement()
                .satisfies(sample -> assertThat(sample.steps()).isEqualTo(new StepRange(32, 48)));
    }

    @Test
    void rankThatHasLostItsGroupTellsWhatItSentFromThenOn() {
        Membership sends = Snapshots.MEMBERS.withTraits(EngineTraits.USUAL.withLoad(LoadKind.ROUTED_TO));
        SampleAssembler of = assembler(sends, true);
        of.add(1, Snapshots.at(1, 16));

        assertThat(of.add(1, sent(2, 32, 1)))
                .as("no difference of a sum and a part")
                .isEmpty();
        assertThat(told).containsExactly("reset 1 at 32");

        assertThat(of.add(1, sent(3, 48, 1))).singleElement().satisfies(sample -> {
            assertThat(sample.kind()).isEqualTo(LoadKind.ROUTED_TO);
            assertThat(sample.firstRank()).isEqualTo(1);
            assertThat(sample.slotsPerRank()).isEqualTo(6);
            assertThat(sample.steps()).isEqualTo(new StepRange(32, 48));
            assertThat(sample.load())
                    .isEqualTo(Counters.of(
                            LongStream.range(0, 12).map(i -> 16 * (i + 1)).toArray()));
            assertThat(sample.routed()).isEqualTo(LongVector.of(64, 64));
        });
    }

    /** What a rank alone sent to all six slots. */
    private static Snapshot sent(long sequence, long step, int own) {
        Snapshot alone = Snapshots.alone(sequence, step, own);
        long[] load = LongStream.range(0, 12).map(i -> step * (i + 1)).toArray();
        return new Snapshot(
                sequence,
                step,
                false,
                0,
                alone.votes(),
                alone.valid(),
                load,
                alone.routed(),
                step,
                alone.mixed(),
                true,
                0);
    }

    private static Snapshot mixed(Snapshot of, int rank) {
        of.mixed()[rank] = true;
        return of;
    }

    private static Snapshot reset(Snapshot of, long resets) {
        return new Snapshot(
                of.sequence(),
                of.step(),
                of.gathered(),
                of.firstRank(),
                of.votes(),
                of.valid(),
                of.load(),
                of.routed(),
                of.capturedNanos(),
                of.mixed(),
                false,
                resets);
    }

    @Test
    void successorGoesOnWhereItsPredecessorEnded() {
        Map<Integer, Ring.Writer> writers = Map.of(0, PROCESS, 1, PROCESS, 2, PROCESS);
        assembler.add(0, Snapshots.at(1, 16));
        assertThat(assembler.takeMoved()).isTrue();
        SampleAssembler successor = new SampleAssembler(Snapshots.MEMBERS, "test", true, listener);
        assembler.counts(writers).forEach(successor::restore);

        assertThat(successor.add(0, Snapshots.at(1, 16))).as("told already").isEmpty();
        assertThat(successor.takeMoved()).isFalse();
        LoadSample sample = successor.add(0, Snapshots.at(9, 144)).get(0);

        assertThat(sample.steps()).isEqualTo(new StepRange(16, 144));
        assertThat(sample.load(2, 1, 1)).isEqualTo(128 * 3);
        assertThat(told).isEmpty();
    }

    @Test
    void lateStartIsMixedWhenSomethingWasFlippedBeforeIt() {
        LoadSample settled =
                assembler(Snapshots.MEMBERS, true).add(0, Snapshots.at(3, 48)).get(0);
        LoadSample flipped = assembler(Snapshots.MEMBERS, true)
                .add(0, Snapshots.at(3, 48, Snapshots.vote(1, 0, 0)))
                .get(0);

        assertThat(settled.steps()).isEqualTo(new StepRange(0, 48));
        assertThat(settled.mixed()).isFalse();
        assertThat(flipped.mixed()).as("v0 or v1, who knows").isTrue();
    }

    @Test
    void snapshotThatCannotBeChangesNothing() {
        assembler.add(0, Snapshots.at(1, 16));

        assertThatThrownBy(() -> assembler.add(0, Snapshots.at(2, 33))).hasMessageContaining("no boundary");
        assertThatThrownBy(() -> assembler.add(0, Snapshots.at(2, 32, Snapshots.vote(-1, 0, 0))))
                .isInstanceOf(IllegalArgumentException.class);

        assertThat(assembler.add(0, Snapshots.at(3, 48)).get(0).steps()).isEqualTo(new StepRange(16, 48));
    }

    @Test
    void firstSnapshotOfAnIncarnationCountsFromZero() {
        List<LoadSample> samples = assembler.add(0, Snapshots.at(1, 16));

        assertThat(samples).hasSize(1);
        LoadSample sample = samples.get(0);
        assertThat(sample.steps()).isEqualTo(new StepRange(0, 16));
        assertThat(sample.load(2, 1, 1)).isEqualTo(48);
        assertThat(sample.routed()).isEqualTo(LongVector.of(192, 192));
        assertThat(sample.load().sum()).isEqualTo(sample.routed().sum());
        assertThat(sample.mixed()).isFalse();
    }

    @Test
    void laterSnapshotIsTheDifference() {
        assembler.add(0, Snapshots.at(1, 16));

        LoadSample sample = assembler.add(0, Snapshots.at(2, 32)).get(0);

        assertThat(sample.steps()).isEqualTo(new StepRange(16, 32));
        assertThat(sample.load(0, 0, 0)).isEqualTo(16);
    }

    @Test
    void aSamplesTimeIsThatOfItsStepsHoweverManySnapshotsWereMissed() {
        assembler.add(0, Snapshots.at(1, 16), rank -> clock(1_000 * rank, 5));
        LoadSample second = assembler
                .add(0, Snapshots.at(2, 32), rank -> clock(1_000 * rank + 300 + rank, 5))
                .get(0);

        LoadSample third = assembler
                .add(0, Snapshots.at(4, 64), rank -> clock(1_000 * rank + 900 + rank, 75))
                .get(0);

        assertThat(second.elapsedNanos()).isEqualTo(LongVector.of(300, 301, 302));
        assertThat(second.idleNanos()).isEqualTo(LongVector.of(0, 0, 0));
        assertThat(third.steps()).isEqualTo(new StepRange(32, 64));
        assertThat(third.elapsedNanos()).isEqualTo(LongVector.of(600, 600, 600));
        assertThat(third.idleNanos()).isEqualTo(LongVector.of(70, 70, 70));
    }

    @Test
    void theFirstSampleHasNoTimeAsNobodyKnowsWhenItsStepsBegan() {
        assertThat(assembler.add(0, Snapshots.at(1, 16), rank -> clock(1_000, 0)))
                .noneMatch(LoadSample::timed);
        assertThat(assembler.add(0, Snapshots.at(2, 32), rank -> clock(2_000, 0)))
                .allMatch(LoadSample::timed);
    }

    @Test
    void rankThatDoesNotSayWhatItsStepsTookIsInASampleOfItsOwn() {
        IntFunction<Optional<StepClock>> allButOne = rank -> rank == 1 ? Optional.empty() : clock(1_000, 0);
        assembler.add(0, Snapshots.at(1, 16), rank -> clock(0, 0));

        List<LoadSample> samples = assembler.add(0, Snapshots.at(2, 32), allButOne);
        List<LoadSample> after = assembler.add(0, Snapshots.at(3, 48), rank -> clock(2_000, 0));

        assertThat(samples).extracting(LoadSample::timed).containsExactly(true, false, true);
        assertThat(after).extracting(LoadSample::timed).containsExactly(true, false, true);
        assertThat(assembler.add(0, Snapshots.at(4, 64), rank -> clock(3_000, 0)))
                .hasSize(1);
    }

    @Test
    void clockThatFellOrStoodStillForWeeksIsAnotherOnes() {
        assembler.add(0, Snapshots.at(1, 16), rank -> clock(5_000, 50));

        assertThat(assembler.add(0, Snapshots.at(2, 32), rank -> clock(4_999, 50)))
                .noneMatch(LoadSample::timed);
        assertThat(assembler.add(0, Snapshots.at(3, 48), rank -> clock(6_000, 49)))
                .noneMatch(LoadSample::timed);
        assertThat(assembler.add(0, Snapshots.at(4, 64), rank -> clock(7_000, 1L << 51)))
                .noneMatch(LoadSample::timed);
        assertThat(assembler.add(0, Snapshots.at(5, 80), rank -> clock(7_001, (1L << 51) + 1)))
                .allMatch(LoadSample::timed);
    }

    @Test
    void successorKnowsWhatStepsHadTakenBeforeIt() {
        assembler.add(0, Snapshots.at(1, 16), rank -> clock(1_000, 10));
        SampleAssembler successor = new SampleAssembler(Snapshots.MEMBERS, "test", true, listener);
        assembler.counts(Map.of(0, PROCESS, 1, PROCESS, 2, PROCESS)).forEach(successor::restore);

        LoadSample sample =
                successor.add(0, Snapshots.at(2, 32), rank -> clock(1_250, 11)).get(0);

        assertThat(sample.elapsedNanos()).isEqualTo(LongVector.of(250, 250, 250));
        assertThat(sample.idleNanos()).isEqualTo(LongVector.of(1, 1, 1));
    }

    private static Optional<StepClock> clock(long busyNanos, long idleNanos) {
        return Optional.of(new StepClock(busyNanos, idleNanos));
    }

    @Test
    void markerOfOneRankIsMadeUpForByItsNextSnapshot() {
        assembler.add(0, Snapshots.at(1, 16));

        List<LoadSample> without = assembler.add(0, Snapshots.marker(Snapshots.at(2, 32), 1));
        List<LoadSample> with = assembler.add(0, Snapshots.at(3, 48));

        assertThat(without).extracting(LoadSample::firstRank).containsExactly(0, 2);
        assertThat(without).allSatisfy(sample -> assertThat(sample.routed()).isEqualTo(LongVector.of(64, 64)));
        assertThat(with)
                .extracting(LoadSample::steps)
                .containsExactly(new StepRange(32, 48), new StepRange(16, 48), new StepRange(32, 48));
        assertThat(with.get(1).load(0, 0, 0)).isEqualTo(64);
        assertThat(with.get(1).routed()).isEqualTo(LongVector.of(128, 128));
        assertThat(with).noneMatch(LoadSample::mixed);
    }

    @Test
    void missedSnapshotIsCoveredByTheNext() {
        assembler.add(0, Snapshots.at(1, 16));

        LoadSample sample = assembler.add(0, Snapshots.at(4, 64)).get(0);

        assertThat(sample.steps()).isEqualTo(new StepRange(16, 64));
        assertThat(sample.load(1, 0, 0)).isEqualTo(96);
    }

    @Test
    void rangeOfOneIntervalIsNeverMixedWhateverWasFlippedBeforeIt() {
        assembler.add(0, Snapshots.at(1, 16));

        LoadSample sample =
                assembler.add(0, Snapshots.at(2, 32, Snapshots.vote(0, 1, 1))).get(0);

        assertThat(sample.mixed()).isFalse();
        assertThat(sample.state()).isEqualTo(new PlacementState(0, 1, 1));
    }

    @Test
    void rangeThatSpansAFlipIsMixed() {
        assembler.add(0, Snapshots.at(1, 16));

        LoadSample sample =
                assembler.add(0, Snapshots.at(3, 48, Snapshots.vote(0, 1, 1))).get(0);

        assertThat(sample.mixed()).isTrue();
        assertThat(sample.state()).isEqualTo(new PlacementState(0, 1, 1));
    }

    @Test
    void rangeWhoseMarkerShowsThatTheFlipStoodAtItsStartIsNotMixed() {
        assembler.add(0, Snapshots.at(1, 16));
        Vote flipped = Snapshots.vote(0, 1, 1);
        assembler.add(0, Snapshots.marker(Snapshots.at(2, 32, flipped), 0));

        List<LoadSample> samples = assembler.add(0, Snapshots.at(3, 48, flipped));

        assertThat(samples.get(0).steps()).isEqualTo(new StepRange(16, 48));
        assertThat(samples).noneMatch(LoadSample::mixed);
    }

    @Test
    void decisionInFlightThatFlippedNothingIsNoStateOfItsOwn() {
        LoadSample sample = assembler
                .add(0, Snapshots.at(1, 16, new Vote(7, 3, 0, 4, 1, 1, 99)))
                .get(0);

        assertThat(sample.state()).isEqualTo(PlacementState.settled(3));
    }

    @Test
    void decreaseIsAResetOfItsRankAlone() {
        assembler.add(0, Snapshots.at(1, 16));
        Snapshot broken = Snapshots.at(2, 32);
        broken.load()[0] = 3;

        List<LoadSample> samples = assembler.add(0, broken);
        List<LoadSample> after = assembler.add(0, Snapshots.at(3, 48));

        assertThat(told).containsExactly("reset 0 at 32");
        assertThat(samples).extracting(LoadSample::firstRank).containsExactly(1);
        assertThat(after.get(0).steps()).isEqualTo(new StepRange(32, 48));
        assertThat(after.get(0).firstRank()).isZero();
    }

    @Test
    void collectorThatDoesNotKnowWhatWasToldTakesItsFirstSnapshotAsBaseline() {
        SampleAssembler restarted = assembler(Snapshots.MEMBERS, false);

        assertThat(restarted.add(0, Snapshots.at(40, 640))).isEmpty();
        assertThat(restarted.add(0, Snapshots.at(41, 656)).get(0).steps()).isEqualTo(new StepRange(640, 656));
        assertThat(told).containsExactly("under way at 640");
    }

    @Test
    void snapshotsOfAnotherRingThatAreKnownAlreadyGiveNothing() {
        assembler.add(0, Snapshots.at(5, 16));

        assertThat(assembler.add(0, Snapshots.at(1, 16))).isEmpty();
        assertThat(assembler.add(0, Snapshots.at(2, 32))).hasSize(1);
        assertThat(told).isEmpty();
    }

    @Test
    void wideSamplesAreCutByLayersAndLoseNothing() {
        int layers = 4_000;
        int slots = 20;
        Membership wide = Snapshots.members(layers, slots, 7);
        long[] load = new long[3 * layers * slots];
        long[] routed = new long[3 * layers];
        for (int i = 0; i < load.length; i++) {
            load[i] = i;
        }
        Vote vote = Snapshots.vote(0, 0, 0);
        Snapshot snapshot = new Snapshot(
                2, 32, true, 0, new Vote[] {vote, vote, vote}, new boolean[] {true, true, true}, load, routed, 0);

        SampleAssembler assembler = assembler(wide, true);
        assembler.add(0, empty(wide), rank -> clock(1, 0));
        List<LoadSample> samples = assembler.add(0, snapshot, rank -> clock(2, 0));

        assertThat(samples.size()).isGreaterThan(1);
        assertThat(samples)
                .allSatisfy(sample -> assertThat(
                                sample.load().size() * 4 + sample.routed().size() * 8)
                        .isLessThan(256 * 1024));
        assertThat(samples.stream().mapToInt(LoadSample::layers).sum()).isEqualTo(layers);
        assertThat(samples).as("time counts once").extracting(LoadSample::timed).startsWith(true, false);
        assertThat(samples.stream().filter(LoadSample::timed)).hasSize(1);
        LoadSample second = samples.get(1);
        assertThat(second.load(1, 0, 1)).isEqualTo((layers + second.firstLayer()) * (long) slots + 1);
    }

    private static Snapshot empty(Membership members) {
        int slots = members.topology().slots() * members.shape().layers();
        Vote vote = Snapshots.vote(0, 0, 0);
        return new Snapshot(
                1,
                16,
                true,
                0,
                new Vote[] {vote, vote, vote},
                new boolean[] {true, true, true},
                new long[slots],
                new long[3 * members.shape().layers()],
                0);
    }

    @Test
    void ringOfARankThatIsAloneGivesThatRankOnly() {
        assembler.add(0, Snapshots.at(1, 16));

        List<LoadSample> samples = assembler.add(1, Snapshots.alone(2, 32, 1));
        List<LoadSample> narrow = assembler.add(2, Snapshots.narrow(1, 48, 2));

        assertThat(samples).hasSize(1);
        assertThat(samples.get(0).firstRank()).isEqualTo(1);
        assertThat(samples.get(0).ranks()).isEqualTo(1);
        assertThat(samples.get(0).steps()).isEqualTo(new StepRange(16, 32));
        assertThat(samples.get(0).routed()).isEqualTo(LongVector.of(64, 64));
        assertThat(narrow).hasSize(1);
        assertThat(narrow.get(0).firstRank()).isEqualTo(2);
        assertThat(narrow.get(0).steps()).isEqualTo(new StepRange(16, 48));
        assertThat(narrow.get(0).load(0, 1, 1)).isEqualTo(32 * 3);
        assertThat(told).isEmpty();
    }

    @Test
    void routedIsLeftOutWhereTheEngineDoesNotKnowIt() {
        Snapshot known = Snapshots.at(1, 16);
        Snapshot unknown = new Snapshot(
                1, 16, true, 0, known.votes(), known.valid(), known.load(), new long[0], known.capturedNanos());

        LoadSample sample = assembler.add(0, unknown).get(0);

        assertThat(sample.ranks()).isEqualTo(3);
        assertThat(sample.routed().size()).isZero();
    }

    @Test
    void routedIsLeftOutAlsoWhereItWasNotKnownAtTheStart() {
        Snapshot second = Snapshots.at(2, 32);
        Snapshot unknown = new Snapshot(
                2, 32, true, 0, second.votes(), second.valid(), second.load(), new long[0], second.capturedNanos());
        assembler.add(0, Snapshots.at(1, 16));
        assembler.add(0, unknown);

        LoadSample third = assembler.add(0, Snapshots.at(3, 48)).get(0);
        LoadSample fourth = assembler.add(0, Snapshots.at(4, 64)).get(0);

        assertThat(third.routed().size())
                .as("what was routed in steps 16 to 32 is not in")
                .isZero();
        assertThat(fourth.routed()).isEqualTo(LongVector.of(192, 192));
    }

    /** Each piece of a sample is as narrow as its own counters allow, as if it had been packed by itself. */
    @Test
    void countersArePackedAsTheSameNumbersAreByThemselves() {
        int layers = 2_000;
        int slots = 20;
        Membership wide = Snapshots.members(layers, slots, 7);
        SampleAssembler any = assembler(wide, true);
        Random random = new Random(3);
        long[] load = new long[3 * layers * slots];
        long[] before = load.clone();
        for (int step = 16; step <= 48; step += 16) {
            for (int i = 0; i < load.length; i++) {
                load[i] += random.nextInt(1_000);
            }
            load[(layers + layers / 2) * slots] += step == 16 ? 0 : step == 32 ? 1L << 40 : 1 << 20;
            Vote vote = Snapshots.vote(0, 0, 0);
            Snapshot snapshot = new Snapshot(
                    step / 16,
                    step,
                    true,
                    0,
                    new Vote[] {vote, vote, vote},
                    new boolean[] {true, true, true},
                    load.clone(),
                    new long[3 * layers],
                    0);

            List<LoadSample> samples = any.add(0, snapshot);

            for (LoadSample sample : samples) {
                int each = sample.layers() * slots;
                long[] expected = new long[3 * each];
                for (int i = 0; i < expected.length; i++) {
                    int at = (i / each * layers + sample.firstLayer()) * slots + i % each;
                    expected[i] = load[at] - before[at];
                }
                Counters packed = Counters.of(expected);
                assertThat(sample.load().equals(packed)).as("step %d", step).isTrue();
                assertThat(sample.load().width()).as("step %d", step).isEqualTo(packed.width());
            }
            assertThat(samples)
                    .extracting(sample -> sample.load().width())
                    .as("step %d: one counter of layer 1,000 is large", step)
                    .isEqualTo(step == 16 ? List.of(2) : step == 32 ? List.of(2, 8, 2, 2) : List.of(4, 2));
            before = load.clone();
        }
    }

    @Test
    void otherProcessThatCountsBeyondTheOldOneIsAResetNevertheless() {
        assembler.add(0, Snapshots.at(1, 16));
        assembler.restarted(1);

        List<LoadSample> first = assembler.add(0, Snapshots.at(2, 32));
        List<LoadSample> second = assembler.add(0, Snapshots.at(3, 48));

        assertThat(told).containsExactly("reset 1 at 32");
        assertThat(first).extracting(LoadSample::firstRank).containsExactly(0, 2);
        assertThat(second).extracting(LoadSample::steps).containsOnly(new StepRange(32, 48));
    }

    @Test
    void stepsThatARestartedProcessCountsAgainAreInNoSampleTwice() {
        for (int i = 1; i <= 3; i++) {
            assembler.add(0, Snapshots.alone(i, i * 16, 0));
        }
        assembler.restarted(0);
        List<StepRange> again = new ArrayList<>();
        for (int i = 1; i <= 5; i++) {
            assembler.add(0, Snapshots.alone(i, i * 16, 0)).forEach(sample -> again.add(sample.steps()));
        }

        assertThat(told).containsExactly("reset 0 at 16");
        assertThat(again).containsExactly(new StepRange(48, 64), new StepRange(64, 80));
    }

    @Test
    void countersAreExactBeyondTheIntegersTheyCross() {
        for (long start : new long[] {Integer.MAX_VALUE - 20L, (1L << 32) - 20, Long.MAX_VALUE - 20}) {
            SampleAssembler any = assembler(Snapshots.MEMBERS, false);
            any.add(0, plus(Snapshots.at(1, 16), start));
            for (int i = 2; i <= 4; i++) {
                LoadSample sample =
                        any.add(0, plus(Snapshots.at(i, i * 16), start)).get(0);
                assertThat(sample.load(2, 1, 1)).as("from %d", start).isEqualTo(48);
                assertThat(sample.routed()).as("from %d", start).isEqualTo(LongVector.of(192, 192));
            }
        }
        assertThat(told).doesNotContain("reset 0 at 32").allMatch(text -> text.startsWith("under way"));
    }

    @Test
    void countersThatFallFromTheVeryTopAreAReset() {
        SampleAssembler any = assembler(Snapshots.MEMBERS, false);
        any.add(0, plus(Snapshots.at(1, 16), Long.MAX_VALUE - 100));

        assertThat(any.add(0, Snapshots.at(2, 32))).isEmpty();
        assertThat(any.add(0, Snapshots.at(3, 48)).get(0).load(0, 0, 0)).isEqualTo(16);
        assertThat(told).contains("reset 0 at 32", "reset 1 at 32", "reset 2 at 32");
    }

    @Test
    void counterAtTheTopOfItsRangeThatFallsIsAResetAndNoWrap() {
        SampleAssembler any = assembler(Snapshots.MEMBERS, false);
        any.add(0, plus(Snapshots.at(1, 16), -100)); // as unsigned: just below 2^64

        assertThat(any.add(0, Snapshots.at(2, 32))).isEmpty();
        assertThat(told).contains("reset 0 at 32", "reset 1 at 32", "reset 2 at 32");
    }

    @Test
    void largestCountThatASampleCanHoldIsExactAndItsSumOverRanksIsLeftOut() {
        Snapshot huge = Snapshots.at(1, 16);
        Arrays.fill(huge.load(), Long.MAX_VALUE);
        Arrays.fill(huge.routed(), Long.MAX_VALUE);

        LoadSample sample = assembler.add(0, huge).get(0);

        assertThat(sample.load(1, 1, 1)).isEqualTo(Long.MAX_VALUE);
        assertThat(sample.routed().size()).isZero();
    }

    /** 95 of 100 snapshots never reach the assembler. */
    @Test
    void totalsAreExactWhenNearlyAllSnapshotsAreLost() {
        Random random = new Random(95);
        long[] sum = new long[3];
        int seen = 0;
        int boundaries = 20_000;
        for (int i = 1; i <= boundaries; i++) {
            if (random.nextInt(100) < 95 && i < boundaries) {
                continue;
            }
            seen++;
            for (LoadSample sample : assembler.add(0, Snapshots.at(i, i * 16L))) {
                for (int rank = sample.firstRank(); rank < sample.firstRank() + sample.ranks(); rank++) {
                    sum[rank] += sample.load(rank - sample.firstRank(), 1, 0);
                }
            }
        }
        long steps = boundaries * 16L;
        assertThat(seen).isBetween(boundaries / 25, boundaries / 15);
        assertThat(sum).containsExactly(steps, 2 * steps, 3 * steps);
    }

    private static Snapshot plus(Snapshot snapshot, long start) {
        for (int i = 0; i < snapshot.load().length; i++) {
            snapshot.load()[i] += start;
        }
        for (int i = 0; i < snapshot.routed().length; i++) {
            snapshot.routed()[i] += start;
        }
        return snapshot;
    }

    /** Whatever is missed or marked, each rank's samples join without gap or overlap and add up to what it counted. */
    @Test
    void samplesOfARankTileItsSteps() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            SampleAssembler any = assembler(Snapshots.MEMBERS, true);
            long[] end = new long[3];
            long[] sum = new long[3];
            long last = 0;
            for (int i = 1; i <= 30; i++) {
                boolean closing = i == 30;
                if (!closing && random.nextInt(4) == 0) {
                    continue;
                }
                last = i * 16L;
                Snapshot snapshot = Snapshots.at(i, last);
                for (int rank = 0; rank < 3 && !closing; rank++) {
                    if (random.nextInt(3) == 0) {
                        Snapshots.marker(snapshot, rank);
                    }
                }
                for (LoadSample sample : any.add(0, snapshot)) {
                    for (int rank = sample.firstRank(); rank < sample.firstRank() + sample.ranks(); rank++) {
                        assertThat(sample.steps().from()).as("seed %d", seed).isEqualTo(end[rank]);
                        end[rank] = sample.steps().to();
                        sum[rank] += sample.load(rank - sample.firstRank(), 1, 0);
                    }
                }
            }
            assertThat(end).as("seed %d", seed).containsOnly(last);
            assertThat(sum).as("seed %d", seed).containsExactly(last, 2 * last, 3 * last);
        }
    }

    /** All ranks are of one node. */
    private SampleAssembler assembler(Membership members, boolean fromZero) {
        SampleAssembler all = new SampleAssembler(members, "test", fromZero, listener);
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            all.own(rank);
        }
        return all;
    }
}
