package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SampleAssemblerTest {
    private final List<String> told = new ArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onMissed(long snapshots) {
            told.add("missed " + snapshots);
        }

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
    void firstSnapshotOfAnIncarnationCountsFromZero() {
        List<LoadSample> samples = assembler.add(Snapshots.at(1, 16));

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
        assembler.add(Snapshots.at(1, 16));

        LoadSample sample = assembler.add(Snapshots.at(2, 32)).get(0);

        assertThat(sample.steps()).isEqualTo(new StepRange(16, 32));
        assertThat(sample.load(0, 0, 0)).isEqualTo(16);
    }

    @Test
    void markerOfOneRankIsMadeUpForByItsNextSnapshot() {
        assembler.add(Snapshots.at(1, 16));

        List<LoadSample> without = assembler.add(Snapshots.marker(Snapshots.at(2, 32), 1));
        List<LoadSample> with = assembler.add(Snapshots.at(3, 48));

        assertThat(without).extracting(LoadSample::firstRank).containsExactly(0, 2);
        assertThat(without)
                .allSatisfy(sample -> assertThat(sample.routed().size()).isZero());
        assertThat(with)
                .extracting(LoadSample::steps)
                .containsExactly(new StepRange(32, 48), new StepRange(16, 48), new StepRange(32, 48));
        assertThat(with.get(1).load(0, 0, 0)).isEqualTo(64);
        assertThat(with).noneMatch(LoadSample::mixed);
    }

    @Test
    void missedSnapshotIsCountedAndCoveredByTheNext() {
        assembler.add(Snapshots.at(1, 16));

        LoadSample sample = assembler.add(Snapshots.at(4, 64)).get(0);

        assertThat(told).containsExactly("missed 2");
        assertThat(sample.steps()).isEqualTo(new StepRange(16, 64));
        assertThat(sample.load(1, 0, 0)).isEqualTo(96);
    }

    @Test
    void rangeOfOneIntervalIsNeverMixedWhateverWasFlippedBeforeIt() {
        assembler.add(Snapshots.at(1, 16));

        LoadSample sample =
                assembler.add(Snapshots.at(2, 32, Snapshots.vote(0, 1, 1))).get(0);

        assertThat(sample.mixed()).isFalse();
        assertThat(sample.state()).isEqualTo(new PlacementState(0, 1, 1));
    }

    @Test
    void rangeThatSpansAFlipIsMixed() {
        assembler.add(Snapshots.at(1, 16));

        LoadSample sample =
                assembler.add(Snapshots.at(3, 48, Snapshots.vote(0, 1, 1))).get(0);

        assertThat(sample.mixed()).isTrue();
        assertThat(sample.state()).isEqualTo(new PlacementState(0, 1, 1));
    }

    @Test
    void rangeWhoseMarkerShowsThatTheFlipStoodAtItsStartIsNotMixed() {
        assembler.add(Snapshots.at(1, 16));
        Vote flipped = Snapshots.vote(0, 1, 1);
        assembler.add(Snapshots.marker(Snapshots.at(2, 32, flipped), 0));

        List<LoadSample> samples = assembler.add(Snapshots.at(3, 48, flipped));

        assertThat(samples.get(0).steps()).isEqualTo(new StepRange(16, 48));
        assertThat(samples).noneMatch(LoadSample::mixed);
    }

    @Test
    void decisionInFlightThatFlippedNothingIsNoStateOfItsOwn() {
        LoadSample sample = assembler
                .add(Snapshots.at(1, 16, new Vote(7, 3, 0, 4, 1, 1, 99)))
                .get(0);

        assertThat(sample.state()).isEqualTo(PlacementState.settled(3));
    }

    @Test
    void decreaseIsAResetOfItsRankAlone() {
        assembler.add(Snapshots.at(1, 16));
        Snapshot broken = Snapshots.at(2, 32);
        broken.load()[0] = 3;

        List<LoadSample> samples = assembler.add(broken);
        List<LoadSample> after = assembler.add(Snapshots.at(3, 48));

        assertThat(told).containsExactly("reset 0 at 32");
        assertThat(samples).extracting(LoadSample::firstRank).containsExactly(1);
        assertThat(after.get(0).steps()).isEqualTo(new StepRange(32, 48));
        assertThat(after.get(0).firstRank()).isZero();
    }

    @Test
    void restartedCollectorTakesItsFirstSnapshotAsBaseline() {
        SampleAssembler restarted = assembler(Snapshots.MEMBERS, false);

        assertThat(restarted.add(Snapshots.at(40, 640))).isEmpty();
        assertThat(restarted.add(Snapshots.at(41, 656)).get(0).steps()).isEqualTo(new StepRange(640, 656));
        assertThat(told).containsExactly("under way at 640");
    }

    @Test
    void snapshotsOfAnotherRingThatAreKnownAlreadyGiveNothing() {
        assembler.add(Snapshots.at(5, 16));
        assembler.ringChanged();

        assertThat(assembler.add(Snapshots.at(1, 16))).isEmpty();
        assertThat(assembler.add(Snapshots.at(2, 32))).hasSize(1);
        assertThat(told).isEmpty();
    }

    @Test
    void wideSamplesAreCutByLayersAndLoseNothing() {
        int layers = 40_000;
        Membership wide = Snapshots.members(layers);
        long[] load = new long[3 * layers * 2];
        long[] routed = new long[3 * layers];
        for (int i = 0; i < load.length; i++) {
            load[i] = i;
        }
        Vote vote = Snapshots.vote(0, 0, 0);
        Snapshot snapshot =
                new Snapshot(1, 16, new Vote[] {vote, vote, vote}, new boolean[] {true, true, true}, load, routed, 0);

        List<LoadSample> samples = assembler(wide, true).add(snapshot);

        assertThat(samples.size()).isGreaterThan(1);
        assertThat(samples)
                .allSatisfy(sample -> assertThat(
                                sample.load().size() * 4 + sample.routed().size() * 8)
                        .isLessThan(256 * 1024));
        assertThat(samples.stream().mapToInt(LoadSample::layers).sum()).isEqualTo(layers);
        LoadSample second = samples.get(1);
        assertThat(second.load(1, 0, 1)).isEqualTo((layers + second.firstLayer()) * 2L + 1);
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
                for (LoadSample sample : any.add(snapshot)) {
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

    private SampleAssembler assembler(Membership members, boolean first) {
        return new SampleAssembler(members, "test", first, listener);
    }
}
