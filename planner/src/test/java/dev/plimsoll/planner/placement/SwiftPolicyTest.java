package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SwiftPolicyTest {
    /** Ranks 1 and 2 have a slot to spare each; expert 0 needs one of them, expert 1 the other. */
    private static final int[] SPARE = {0, 1, 2, 0, 3, 0};

    private static final LayerExample SWIFT = new LayerExample(4, Topology.even(3, 1, 2));

    @Test
    void swiftHalvesAnExpertsLoadBeforeItAsksForAThirdReplica() {
        // With the formula at fault expert 0 (100 → 66.7) would still come before expert 1 (60), and nothing would
        // change.
        int[] placed = SWIFT.plan("swift", SPARE, 100, 60, 20, 20);

        assertThat(placed).containsExactly(0, 1, 2, 0, 3, 1);
        assertThat(SWIFT.rankLoads(placed, 100, 60, 20, 20)).containsExactly(80, 70, 50);
    }

    @Test
    void swiftJudgesEveryLayerByItsOwnMean() {
        long[] load = {100, 60, 20, 20};
        Placement settled = Placement.of(0, new int[][] {SPARE, SPARE});
        for (long scale : new long[] {0, 1, 1_000_000}) {
            long[] other = Arrays.stream(load).map(tokens -> tokens * scale).toArray();

            Placement target = SWIFT.plan("swift", settled, ExpertLoad.of(0, new long[][] {other, load}));

            assertThat(target.layer(1)).as("layer 0 × %d", scale).containsExactly(0, 1, 2, 0, 3, 1);
        }
    }

    @Test
    void swiftExchangesTheExpertsThatLevelTwoRanksAndOnlyOnce() {
        int[] levelled = new LayerExample(4, Topology.even(2, 1, 2)).plan("swift", 60, 50, 20, 10);
        int[] crowded = new LayerExample(8, Topology.even(2, 1, 4)).plan("swift", 40, 40, 40, 40, 1, 1, 1, 1);

        // 110 and 30 become 70 and 70.
        assertThat(levelled).containsExactly(2, 1, 0, 3);
        // A second exchange would make 82 and 82 of 121 and 43.
        assertThat(crowded).containsExactly(4, 1, 2, 3, 0, 5, 6, 7);
    }

    @Test
    void swiftNeverMakesALayersPeakHigher() {
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            LayerExample example = new LayerExample(12, Topology.even(4, 1, 3 + random.nextInt(3)));
            long[] load = random.longs(12, 0, 1000).toArray();

            double before = EvenSplit.max(example.rankLoads(example.initial(), load));
            double after = EvenSplit.max(example.rankLoads(example.plan("swift", load), load));

            assertThat(after).as("seed %d", seed).isLessThanOrEqualTo(before);
        }
    }

    @Test
    void swiftBringsOneReplicaFromARankToAnother() {
        // Rank 2 has two slots to spare and experts 3 and 4 both want a replica there, but come from the same rank.
        LayerExample example = new LayerExample(6, Topology.even(3, 1, 3));
        int[] settled = {0, 1, 2, 3, 4, 0, 5, 0, 1};

        int[] placed = example.plan("swift", settled, 1, 80, 1, 100, 90, 1);

        assertThat(Arrays.stream(placed, 6, 9).filter(expert -> expert == 3 || expert == 4))
                .containsExactly(3);
    }

    @Test
    void swiftTransfersOncePerPairOfRanksAndNeverOnwards() {
        int transfers = 0;
        for (long seed = 0; seed < 300; seed++) {
            // Without redundancy, so that everybody's old rank is known.
            LayerExample example = new LayerExample(24, Topology.even(6, 1, 4));
            int[] placed =
                    example.plan("swift", new Random(seed).longs(24, 0, 1000).toArray());
            boolean[][] taken = new boolean[6][6];
            for (int slot = 0; slot < placed.length; slot++) {
                int from = placed[slot] / 4;
                int to = slot / 4;
                if (from != to) {
                    assertThat(taken[from][to])
                            .as("seed %d: from %d to %d again", seed, from, to)
                            .isFalse();
                    taken[from][to] = true;
                    transfers++;
                }
            }
        }
        assertThat(transfers).isGreaterThan(300);
    }
}
