package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FlashLbPolicyTest {
    @Test
    void flashlbSearchesReplicaCountsWhereTheGreedyRulePeaks() {
        LayerExample example = new LayerExample(8, Topology.even(8, 2, 2));

        int[] placed = example.plan("flashlb", LayerExample.STEEP);

        assertThat(EvenSplit.max(example.rankLoads(placed, LayerExample.STEEP))).isLessThanOrEqualTo(205);
    }

    @Test
    void flashlbPutsExpertsApartThatRiseTogether() {
        LayerExample example = new LayerExample(4, Topology.even(2, 1, 2));
        ExpertLoad window = ExpertLoad.ofSamples(0, new long[][][] {{{100, 0, 100, 0}, {0, 100, 0, 100}}});
        Placement settled = Placement.of(0, new int[][] {{0, 2, 1, 3}});

        // All means are equal, so who sees only them has nothing to mend.
        assertThat(example.rows(example.plan("deepseek", settled, window).layer(0)))
                .isDeepEqualTo(new int[][] {{0, 2}, {1, 3}});
        assertThat(new FlashLbStages(window, 0)
                        .peak(example.plan("flashlb", settled, window).layer(0), 2))
                .isEqualTo(1);
    }

    @Test
    void flashlbTouchesALayerOnlyWhenItHasGotWorse() {
        LayerExample example = new LayerExample(4, Topology.even(2, 1, 2));
        Placement settled = Placement.of(1, new int[][] {{0, 1, 2, 3}});
        // Balancedness 0.92 as it is, 0.99 were experts 1 and 3 exchanged.
        ExpertLoad tilted = ExpertLoad.of(1, new long[][] {{600, 487, 500, 413}});
        ExpertLoad even = ExpertLoad.of(0, new long[][] {{500, 500, 500, 500}});

        assertThat(example.plan("flashlb", settled, tilted, tilted)).isEqualTo(settled);
        assertThat(example.plan("flashlb", settled, even, tilted)).isNotEqualTo(settled);
        // What was best of all windows before counts, not the last one.
        assertThat(example.plan("flashlb", settled, even, tilted, tilted)).isNotEqualTo(settled);
        // Nothing was ever committed.
        assertThat(example.plan("flashlb", settled, tilted)).isNotEqualTo(settled);
    }

    @Test
    void flashlbBringsRowsToTheRanksThatHoldThem() {
        LayerExample example = new LayerExample(8, Topology.even(4, 1, 2));
        // Packing makes pairs of 100 from the first rank on; here they are in the other order, and 1 and 3 are mixed
        // up.
        int[] settled = {6, 7, 4, 5, 2, 1, 0, 3};

        int[] placed = example.plan("flashlb", settled, 90, 10, 80, 20, 70, 30, 60, 40);

        assertThat(placed).containsExactly(6, 7, 4, 5, 0, 1, 2, 3);
    }

    @Test
    void flashlbNeverMakesALayersPeakHigher() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            LayerExample example = new LayerExample(12, Topology.even(4, 1, 3 + random.nextInt(3)));
            long[][] samples = new long[1 + random.nextInt(5)][];
            for (int sample = 0; sample < samples.length; sample++) {
                samples[sample] = random.longs(12, 0, 20).toArray();
            }
            ExpertLoad window = ExpertLoad.ofSamples(0, new long[][][] {samples});
            Placement settled = Placement.of(0, new int[][] {example.plan("random", samples[0])});

            Placement target = example.plan("flashlb", settled, window);

            FlashLbStages stages = new FlashLbStages(window, 0);
            assertThat(stages.peak(target.layer(0), 4))
                    .as("seed %d", seed)
                    .isLessThanOrEqualTo(stages.peak(settled.layer(0), 4));
        }
    }

    @Test
    void subSamplesAreFoldedToStagesInOrderOfTime() {
        long[][] samples = new long[130][2];
        for (int sample = 0; sample < samples.length; sample++) {
            samples[sample][0] = 1;
            samples[sample][1] = sample < 65 ? 2 : 0;
        }

        FlashLbStages stages = new FlashLbStages(ExpertLoad.ofSamples(0, new long[][][] {samples}), 0);

        assertThat(stages.stages()).isEqualTo(64);
        double[] sum = new double[2];
        for (int stage = 0; stage < 64; stage++) {
            assertThat(stages.load(0, stage)).isBetween(3.0, 4.0);
            sum[stage / 32] += stages.load(1, stage) - 1;
        }
        assertThat(sum).containsExactly(130, 0);
    }

    @Test
    void momentsAreThoseOfThePopulation() {
        // One token more than counted: 3 5, 9 5.
        ExpertLoad window = ExpertLoad.ofSamples(0, new long[][][] {{{2, 8}, {4, 4}}});

        FlashLbMoments moments = new FlashLbMoments(new FlashLbStages(window, 0));

        assertThat(moments.means()).containsExactly(4, 7);
        assertThat(moments.covariance(0, 0)).isEqualTo(1);
        assertThat(moments.covariance(1, 1)).isEqualTo(4);
        assertThat(moments.covariance(0, 1)).isEqualTo(-2);
        assertThat(moments.highs()).containsExactly(4.674, 8.348);
    }
}
