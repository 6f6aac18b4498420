package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ExpertTimeTest {
    private static final int EXPERTS = 32;
    private static final int TOP_K = 4;

    /** Reading weights, computing in whole tiles, and one after the other, with a cost for what is received. */
    private static final List<DeviceProfile> PROFILES = List.of(
            new DeviceProfile("reading", List.of(new Point(1, 3.9), new Point(47, 3.9), new Point(4700, 390)), 0),
            tiles(),
            new DeviceProfile("both", List.of(new Point(1, 3.95), new Point(4001, 203.95)), 0.033));

    private static DeviceProfile tiles() {
        List<Point> points = new ArrayList<>();
        for (int tile = 0; tile < 256; tile++) {
            double micros = Math.max(2.76, 1.328 * (tile + 1));
            points.add(new Point(16 * tile + 1, micros));
            points.add(new Point(16 * tile + 16, micros));
        }
        return new DeviceProfile("tiles", points, 0);
    }

    /** {@code [step][layer][row][k]}: every token takes different experts, hot ones more often. */
    private static int[][][][] steps(int steps, int layers, int tokens, Random random) {
        double[][] hot = new double[layers][EXPERTS];
        for (double[] layer : hot) {
            for (int expert = 0; expert < EXPERTS; expert++) {
                layer[expert] = Math.exp(0.8 * random.nextGaussian());
            }
        }
        int[][][][] routed = new int[steps][layers][tokens][];
        for (int[][][] step : routed) {
            for (int layer = 0; layer < layers; layer++) {
                for (int row = 0; row < tokens; row++) {
                    step[layer][row] = picks(hot[layer], random);
                }
            }
        }
        return routed;
    }

    private static int[] picks(double[] hot, Random random) {
        int[] picked = new int[TOP_K];
        double[] left = hot.clone();
        for (int k = 0; k < TOP_K; k++) {
            double sum = 0;
            for (double weight : left) {
                sum += weight;
            }
            double at = random.nextDouble() * sum;
            int expert = 0;
            while (expert < EXPERTS - 1 && at >= left[expert]) {
                at -= left[expert++];
            }
            picked[k] = expert;
            left[expert] = 0;
        }
        return picked;
    }

    @Test
    void expertTimeOfStepsIsForetoldWithinThreePercent() {
        double worst = 0;
        double sum = 0;
        int count = 0;
        for (Topology topology : List.of(Topology.even(8, 1, 5), Topology.even(16, 2, 3), Topology.even(8, 1, 4))) {
            ModelShape shape = ModelShape.of("made up", EXPERTS, TOP_K, 0, 2);
            for (int tokens : new int[] {32, 128, 512, 2048}) {
                long seed = 31L * tokens + topology.slots();
                Random random = new Random(seed);
                int[][][][] steps = steps(20_000 / tokens + 30, 2, tokens, random);
                long[][] load = ServedSteps.load(steps, EXPERTS);
                ExpertLoad window = ExpertLoad.of(0, load).over(steps.length);
                Placement initial = Placement.initial(shape, topology);
                Placement planned = Policy.named("plimsoll")
                        .plan(PlanRequest.of(List.of(window), initial, shape, topology))
                        .target();
                for (DeviceProfile profile : PROFILES) {
                    ExpectedTime expected = new ExpectedTime(profile);
                    for (Placement placement : List.of(initial, planned)) {
                        double served = ServedSteps.micros(steps, placement, topology, profile);
                        double foretold =
                                ExpertTime.stepMicros(placement, window.toDoubles(), steps.length, expected, topology);
                        sum += Math.abs(foretold / served - 1);
                        count++;
                        worst = Math.max(worst, Math.abs(foretold / served - 1));
                        assertThat(foretold / served)
                                .as(
                                        "seed %d, %s, %d slots, %s",
                                        seed,
                                        profile.name(),
                                        topology.slots(),
                                        placement == initial ? "initial" : "planned")
                                .isCloseTo(1, within(0.03));
                    }
                }
            }
        }
        assertThat(worst).isLessThan(0.02);
        assertThat(sum / count).isLessThan(0.004);
    }

    /**
     * Thirty windows of such steps with two flips between them.
     *
     * @param windows without what their steps took
     * @param micros {@code [window][step]} what the experts of a step took
     * @param noise draws what disturbs steps
     */
    private record Served(List<TimedWindow> windows, double[][] micros, Random noise) {
        private static final int STEPS = 64;
        private static final double OTHER = 200;
        private static final double SCALE = 1.15;

        static Served of(long seed) {
            Random random = new Random(seed);
            Topology topology = Topology.even(8, 1, 5);
            ModelShape shape = ModelShape.of("made up", EXPERTS, TOP_K, 0, 4);
            DeviceProfile profile = PROFILES.get(2);
            ExpectedTime expected = new ExpectedTime(profile);
            int[][][][] all = steps(30 * STEPS, 4, 256, random);
            Placement settled = Placement.initial(shape, topology);
            List<TimedWindow> windows = new ArrayList<>();
            double[][] micros = new double[30][STEPS];
            for (int i = 0; i < 30; i++) {
                int[][][][] steps = Arrays.copyOfRange(all, i * STEPS, (i + 1) * STEPS);
                ExpertLoad load =
                        ExpertLoad.of(i, ServedSteps.load(steps, EXPERTS)).over(STEPS);
                if (i == 8 || i == 19) {
                    // Half of the layers are evened out, then the others.
                    Placement planned = Policy.named("plimsoll")
                            .plan(PlanRequest.of(List.of(load), settled, shape, topology))
                            .target();
                    int[][] experts = settled.toArray();
                    for (int layer = i == 8 ? 0 : 2; layer < (i == 8 ? 2 : 4); layer++) {
                        experts[layer] = planned.layer(layer);
                    }
                    settled = Placement.of(settled.version() + 1, experts);
                }
                for (int step = 0; step < STEPS; step++) {
                    micros[i][step] = ServedSteps.micros(new int[][][][] {steps[step]}, settled, topology, profile);
                }
                double foretold = ExpertTime.stepMicros(settled, load.toDoubles(), STEPS, expected, topology);
                windows.add(new TimedWindow(settled.version(), 1024, foretold, 1, 1, 1));
            }
            return new Served(windows, micros, random);
        }

        /** What is found of the constants when ranks time these steps. */
        StepCalibration calibrated(double noisy) {
            List<TimedWindow> timed = new ArrayList<>();
            for (int i = 0; i < windows.size(); i++) {
                TimedWindow window = windows.get(i);
                double[] interval = new double[4];
                for (int step = 0; step < STEPS; step++) {
                    double took = OTHER + SCALE * micros[i][step];
                    interval[step / 16] += took * (1 + noisy * noise.nextGaussian()) / 16;
                }
                timed.add(new TimedWindow(
                        window.version(),
                        window.tokensPerStep(),
                        window.expertMicros(),
                        Arrays.stream(interval).average().orElseThrow(),
                        Arrays.stream(interval).min().orElseThrow(),
                        1));
            }
            return Calibration.of(timed, 0.5);
        }
    }

    @Test
    void constantsOfServedStepsAreRecoveredAfterThirtyWindowsWithTwoFlips() {
        for (long seed = 1; seed <= 4; seed++) {
            Served served = Served.of(seed);
            StepCalibration noisy = served.calibrated(0.05);
            StepCalibration exact = served.calibrated(0);

            for (StepCalibration found : List.of(exact, noisy)) {
                double most = found == exact ? 0.05 : 0.1;
                assertThat(found.assumed()).as("seed %d", seed).isFalse();
                assertThat(found.flips()).isEqualTo(2);
                assertThat(found.scale()).as("seed %d", seed).isCloseTo(1.15, within(1.15 * most));
                assertThat(found.otherMicros()).as("seed %d", seed).isCloseTo(200, within(200 * most));
                assertThat(found.scaleLow()).as("seed %d", seed).isLessThan(1.15);
                assertThat(found.scaleHigh()).as("seed %d", seed).isGreaterThan(1.15);
            }
        }
    }

    @Test
    void slowestRankIsSlowerThanAnyIsOnAverage() {
        // Two ranks with an expert each, 1 token per step for either: one of them works in 1 - e^-2 of the steps, and
        // in no more than one
        // step of 1.6 a given one.
        DeviceProfile profile = new DeviceProfile("reading", List.of(new Point(1, 4), new Point(100, 4)), 0);
        Topology topology = Topology.even(2, 1, 1);

        assertThat(ExpertTime.stepMicros(
                        Placement.of(0, new int[][] {{0, 1}}),
                        new double[][] {{1000, 1000}},
                        1000,
                        new ExpectedTime(profile),
                        topology))
                .isCloseTo(4 * (1 - Math.exp(-2)), within(0.01));
    }

    @Test
    void slotThatStandsIdleTakesNoTimeAndItsExpertsOthersTakeItsTokens() {
        DeviceProfile profile = new DeviceProfile("computing", List.of(new Point(1, 1), new Point(1000, 1000)), 0);
        Topology topology = Topology.even(2, 1, 2);
        ExpectedTime expected = new ExpectedTime(profile);
        double[][] load = {{400_000, 200_000, 100_000}};
        Placement used = Placement.of(0, new int[][] {{0, 1, 2, 0}});
        Placement idle = Placement.of(0, new int[][] {{0, 1, 2, 0}}, new BitSet[] {BitSet.valueOf(new long[] {8})});

        // 200 and 200 tokens on the first rank; 100 and 200 on the second.
        assertThat(ExpertTime.stepMicros(used, load, 1000, expected, topology)).isBetween(399.0, 406.0);
        assertThat(ExpertTime.stepMicros(idle, load, 1000, expected, topology)).isCloseTo(600, within(1.0));
    }

    @Test
    void layersAddUpAndStepsWithoutTokensTakeNothing() {
        ExpectedTime expected = new ExpectedTime(PROFILES.get(2));
        Topology topology = Topology.even(2, 1, 2);
        Placement two = Placement.of(0, new int[][] {{0, 1, 2, 3}, {0, 2, 1, 3}});
        double[] tokens = {900, 100, 300, 500};

        double both = ExpertTime.stepMicros(two, new double[][] {tokens, tokens}, 10, expected, topology);
        double first = ExpertTime.stepMicros(two, new double[][] {tokens, new double[4]}, 10, expected, topology);
        double second = ExpertTime.stepMicros(two, new double[][] {new double[4], tokens}, 10, expected, topology);

        assertThat(both).isCloseTo(first + second, within(1e-9));
        assertThat(ExpertTime.stepMicros(two, new double[2][4], 10, expected, topology))
                .isZero();
    }
}
