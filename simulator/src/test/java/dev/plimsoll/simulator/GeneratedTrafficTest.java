package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.simulator.GeneratedTraffic.Calibration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class GeneratedTrafficTest {
    private static final int LANES = 64;

    @Test
    void everyTokenPicksDifferentExistingExperts() {
        for (String name : ModelPreset.names()) {
            Traffic traffic = new GeneratedTraffic(ModelPreset.named(name), 4, 3);
            short[] picks = new short[traffic.picksPerStep()];
            for (int step = 0; step < 3; step++) {
                traffic.step(step, picks);
                for (int row = 0; row < picks.length; row += traffic.topK()) {
                    short[] token = Arrays.copyOfRange(picks, row, row + traffic.topK());
                    assertThat(token).as(name).doesNotHaveDuplicates();
                    for (short expert : token) {
                        assertThat((int) expert).as(name).isBetween(0, traffic.experts() - 1);
                    }
                }
            }
        }
    }

    @Test
    void equalSeedsMakeEqualTrafficAndOthersDoNot() {
        ModelPreset preset = ModelPreset.named("gpt-oss-20b");
        short[] one = last(new GeneratedTraffic(preset, LANES, 5), 600);

        assertThat(last(new GeneratedTraffic(preset, LANES, 5), 600)).isEqualTo(one);
        assertThat(last(new GeneratedTraffic(preset, LANES, 6), 600)).isNotEqualTo(one);
    }

    @Test
    void theInitialPlacementIsAsUnevenAsPublishedOnesAre() {
        for (long seed = 1; seed <= 3; seed++) {
            assertThat(initialBalance("qwen3-30b", 8, 8, seed))
                    .as("qwen3-30b, seed %d", seed)
                    .isBetween(0.55, 0.75);
            // The real GPT-OSS routing has 0.61 in this place.
            assertThat(initialBalance("gpt-oss-20b", 8, 8, seed))
                    .as("gpt-oss-20b, seed %d", seed)
                    .isBetween(0.45, 0.75);
        }
    }

    @Test
    void countsOfARequestScatterMoreThanIndependentPicks() {
        // One domain, requests of 511 tokens met in the middle: about 12 of the 18 that whole requests show.
        Calibration oneDomain = new Calibration(1, 0.45, 1, 16, 0.5, 2, 0, 0, 511, 511);
        double scatter = scatter(new GeneratedTraffic(ModelPreset.named("gpt-oss-20b"), oneDomain, LANES, 1));
        Calibration noTilt = new Calibration(1, 0.45, 1, 16, 0, 2, 0, 0, 511, 511);
        double independent = scatter(new GeneratedTraffic(ModelPreset.named("gpt-oss-20b"), noTilt, LANES, 1));

        assertThat(independent).isBetween(0.7, 1.1);
        assertThat(scatter).isBetween(6.0, 25.0);
    }

    @Test
    void popularityDriftsAndStaysPutWithoutDrift() {
        Calibration drifting = new Calibration(1, 0.45, 1, 16, 0.5, 2, 2_000, 0, 64, 512);
        Calibration still = new Calibration(1, 0.45, 1, 16, 0.5, 2, 0, 0, 64, 512);

        assertThat(distance(drifting, 3_000)).isGreaterThan(2 * distance(still, 3_000));
    }

    @Test
    void aShiftOfDomainChangesPopularityAtOnce() {
        Calibration shifting = new Calibration(5, 0.45, 1, 16, 0.5, 2, 0, 1_000, 64, 512);
        Calibration still = new Calibration(5, 0.45, 1, 16, 0.5, 2, 0, 0, 64, 512);

        // Windows [400, 900) and [1600, 2100): all requests of the old domain have ended.
        assertThat(distance(shifting, 1_200)).isGreaterThan(3 * distance(still, 1_200));
    }

    private static double initialBalance(String model, int ranks, int redundant, long seed) {
        ModelPreset preset = ModelPreset.named(model);
        Topology topology = Topology.even(ranks, 2, (preset.shape().experts() + redundant) / ranks);
        Placement initial = Placement.initial(preset.shape(), topology);
        long[][] load = new long[preset.shape().layers()][ranks];
        double[][] counts = window(new GeneratedTraffic(preset, LANES, seed), 0, 400);
        for (int layer = 0; layer < load.length; layer++) {
            int[][] slots = initial.slotsOfExperts(layer, preset.shape().experts());
            for (int expert = 0; expert < slots.length; expert++) {
                for (int slot : slots[expert]) {
                    load[layer][slot / topology.slotsPerRank()] += (long) counts[layer][expert] / slots[expert].length;
                }
            }
        }
        return Balance.of(load).mean();
    }

    /** Distance in total variation between the popularity of [400, 900) and that of a window {@code later} steps later. */
    private static double distance(Calibration calibration, int later) {
        Traffic traffic = new GeneratedTraffic(ModelPreset.named("gpt-oss-20b"), calibration, LANES, 1);
        window(traffic, 0, 400);
        double[][] before = window(traffic, 400, 900);
        window(traffic, 900, 400 + later);
        double[][] after = window(traffic, 400 + later, 900 + later);
        double sum = 0;
        for (int layer = 0; layer < before.length; layer++) {
            double total = Arrays.stream(before[layer]).sum();
            for (int expert = 0; expert < before[layer].length; expert++) {
                sum += Math.abs(before[layer][expert] - after[layer][expert]) / total / 2;
            }
        }
        return sum / before.length;
    }

    private static double[][] window(Traffic traffic, int from, int to) {
        double[][] counts = new double[traffic.layers()][traffic.experts()];
        short[] picks = new short[traffic.picksPerStep()];
        for (int step = from; step < to; step++) {
            traffic.step(step, picks);
            for (int i = 0; i < picks.length; i++) {
                counts[i / traffic.topK() % traffic.layers()][picks[i]]++;
            }
        }
        return counts;
    }

    /** Mean over layers and experts of the variance of a lane's counts in 511 steps ÷ that of independent picks. */
    private static double scatter(Traffic traffic) {
        int steps = 511;
        int cells = traffic.layers() * traffic.experts();
        double[][] counts = new double[LANES][cells];
        short[] picks = new short[traffic.picksPerStep()];
        for (int step = 0; step < steps; step++) {
            traffic.step(step, picks);
            for (int i = 0; i < picks.length; i++) {
                int row = i / traffic.topK();
                counts[row / traffic.layers()][row % traffic.layers() * traffic.experts() + picks[i]]++;
            }
        }
        double sum = 0;
        for (int cell = 0; cell < cells; cell++) {
            double mean = 0;
            for (double[] lane : counts) {
                mean += lane[cell] / LANES;
            }
            double variance = 0;
            for (double[] lane : counts) {
                variance += (lane[cell] - mean) * (lane[cell] - mean) / (LANES - 1);
            }
            // A token picks an expert once or not at all.
            sum += variance / (mean * (1 - mean / steps));
        }
        return sum / cells;
    }

    private static short[] last(Traffic traffic, int steps) {
        short[] picks = new short[traffic.picksPerStep()];
        for (int step = 0; step < steps; step++) {
            traffic.step(step, picks);
        }
        return picks;
    }
}
