package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a forecast must be on loads whose next window is known, and scenarios against their definition. */
class ForecastChecksTest {
    private static final int K = Scenarios.COUNT;

    /** One layer per row of every window. */
    private static List<ExpertLoad> windows(long[][]... loads) {
        List<ExpertLoad> windows = new ArrayList<>();
        for (long[][] load : loads) {
            windows.add(ExpertLoad.of(windows.size(), load));
        }
        return windows;
    }

    /** Draws of so many tokens from the shares, {@code [expert]}. */
    static long[] draw(Random random, double[] share, int tokens) {
        long[] load = new long[share.length];
        for (int expert = 0; expert < share.length; expert++) {
            double expected = share[expert] * tokens;
            load[expert] = Math.max(0, Math.round(expected + Math.sqrt(expected) * random.nextGaussian()));
        }
        return load;
    }

    private static double error(double[] forecast, double[] share) {
        double sum = 0;
        for (int expert = 0; expert < share.length; expert++) {
            sum += (forecast[expert] - share[expert]) * (forecast[expert] - share[expert]);
        }
        return sum;
    }

    @Test
    void steadyLoadIsForetoldAsItIsWhateverTheTraffic() {
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < 30; window++) {
            long traffic = window % 3 == 0 ? 1000 : 7;
            windows.add(ExpertLoad.of(window, new long[][] {{4 * traffic, 3 * traffic, 2 * traffic, traffic}}));
            LoadForecast forecast = LoadForecast.of(windows, 0);

            assertThat(forecast.known()).isTrue();
            assertThat(forecast.share())
                    .as("%d windows", window + 1)
                    .containsExactly(new double[] {0.4, 0.3, 0.2, 0.1}, within(1e-12));
        }
        assertThat(LoadForecast.of(windows, 0).scenarios(2).noise()).isLessThan(1e-20);
    }

    @Test
    void windowsWithoutLoadAreLeftOut() {
        long[][] load = {{5, 1, 2}};
        long[][] other = {{2, 4, 3}};
        long[][] none = {{0, 0, 0}};

        assertThat(LoadForecast.of(windows(none, none), 0).known()).isFalse();
        assertThat(LoadForecast.of(windows(load, none, other, none), 0).share())
                .isEqualTo(LoadForecast.of(windows(load, other), 0).share());
    }

    @Test
    void otherLayersDoNotMatter() {
        Random random = new Random(3);
        for (int layer = 0; layer < 2; layer++) {
            List<ExpertLoad> windows = new ArrayList<>();
            List<ExpertLoad> alone = new ArrayList<>();
            for (int window = 0; window < 6; window++) {
                long[][][] samples = new long[2][4][];
                for (long[][] ofLayer : samples) {
                    for (int sample = 0; sample < 4; sample++) {
                        ofLayer[sample] = draw(random, RandomLayers.shares(random, 6), 500);
                    }
                }
                windows.add(ExpertLoad.ofSamples(window, samples));
                alone.add(ExpertLoad.ofSamples(window, new long[][][] {samples[layer]}));
            }

            assertThat(LoadForecast.of(windows, layer).share())
                    .isEqualTo(LoadForecast.of(alone, 0).share());
            assertThat(LoadForecast.of(windows, layer).scenarios(2).load())
                    .isEqualTo(LoadForecast.of(alone, 0).scenarios(2).load());
        }
    }

    @Test
    void fallingLoadIsFollowedButNotBelowNothing() {
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window <= 10; window++) {
            long falling = 1000 - 100 * window;
            windows.add(ExpertLoad.of(window, new long[][] {{falling, 2000 - falling, 1000}}));
            double[] share = LoadForecast.of(windows, 0).share();

            assertThat(Arrays.stream(share).min().orElseThrow()).isNotNegative();
            assertThat(Arrays.stream(share).sum()).isCloseTo(1, within(0.05));
            if (window == 8) {
                // The newest 200 of 3000, the next 100: less than any mean would say.
                assertThat(share[0]).isBetween(50 / 3000.0, 160 / 3000.0);
            }
        }
    }

    @Test
    void noiseIsAveragedOut() {
        assertThat(errorOfForecast(12, -1)).isLessThan(0.35);
    }

    @Test
    void whatWasBeforeAJumpIsForgotten() {
        assertThat(errorOfForecast(17, 12)).isLessThan(0.45);
    }

    /** Squared error relative to the newest window's, over seeds; shares jump before the window, or never where it is -1. */
    private static double errorOfForecast(int windows, int jump) {
        double ours = 0;
        double newest = 0;
        for (long seed = 0; seed < 30; seed++) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            double[] share = RandomLayers.shares(random, 16);
            List<ExpertLoad> loads = new ArrayList<>();
            for (int window = 0; window < windows; window++) {
                if (window == jump) {
                    share = RandomLayers.shares(random, 16);
                }
                loads.add(ExpertLoad.of(window, new long[][] {draw(random, share, 2000)}));
            }
            ours += error(LoadForecast.of(loads, 0).share(), share);
            newest += error(
                    LoadForecast.of(loads.subList(windows - 1, windows), 0).share(), share);
        }
        return ours / newest;
    }

    @Test
    void onlyTheNewestWindowsAreLookedBackOn() {
        Random random = new Random(7);
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < LoadForecast.WINDOWS + 9; window++) {
            windows.add(ExpertLoad.of(window, new long[][] {draw(random, RandomLayers.shares(random, 5), 300)}));
        }

        assertThat(LoadForecast.of(windows, 0).share())
                .isEqualTo(
                        LoadForecast.of(windows.subList(9, windows.size()), 0).share());
    }

    @Test
    void patternsOfTheLastWindowsWeighMost() {
        double together = 0;
        double before = 0;
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            List<ExpertLoad> windows = new ArrayList<>();
            for (int window = 0; window < 17; window++) {
                long up = random.nextBoolean() ? 300 : -300;
                // First experts 0 and 1 rise together, then 0 and 2.
                long[] load = window < 9
                        ? new long[] {1000 + up, 1000 + up, 1000 - up, 1000 - up}
                        : new long[] {1000 + up, 1000 - up, 1000 + up, 1000 - up};
                windows.add(ExpertLoad.of(window, new long[][] {load}));
            }
            double[] load = LoadForecast.of(windows, 0).scenarios(1).load();
            before += covariance(load, 0, 1);
            together += covariance(load, 0, 2);
        }
        assertThat(together).isPositive();
        assertThat(before).isLessThan(together / 2);
    }

    @Test
    void oneJumpIsNotAPatternThatComesBack() {
        Random random = new Random(13);
        double[] share = {0.1, 0.2, 0.1, 0.2, 0.1, 0.3};
        double[] later = {0.3, 0.1, 0.2, 0.1, 0.2, 0.1};
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < 18; window++) {
            windows.add(ExpertLoad.of(window, new long[][] {draw(random, window < 12 ? share : later, 10000)}));
        }

        double[] load = LoadForecast.of(windows, 0).scenarios(1).load();

        double variance = 0;
        for (int expert = 0; expert < 6; expert++) {
            variance += covariance(load, expert, expert);
        }
        // A window's noise is 1 / tokens; the jump's square is 0.11, a thousand times as much.
        assertThat(variance).isBetween(0.5 / 10000, 8.0 / 10000);
    }

    private static double covariance(double[] load, int a, int b) {
        double meanOfA = 0;
        double meanOfB = 0;
        double product = 0;
        for (int k = 0; k < K; k++) {
            meanOfA += load[a * K + k] / K;
            meanOfB += load[b * K + k] / K;
            product += load[a * K + k] * load[b * K + k] / K;
        }
        return product - meanOfA * meanOfB;
    }

    @Test
    void scenariosAreTheForecastAndEveryRowOfSignsWithinTheirLimits() {
        int clipped = 0;
        for (long seed = 0; seed < 100; seed++) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            int experts = 2 + random.nextInt(9);
            int ranks = 1 + random.nextInt(4);
            double[] share = RandomLayers.shares(random, experts);
            double[][] directions = new double[random.nextInt(K)][experts];
            for (double[] direction : directions) {
                for (int expert = 0; expert < experts; expert++) {
                    direction[expert] = random.nextGaussian() * share[expert] * (seed % 2 == 0 ? 0.1 : 1);
                }
                double[] other = direction.clone();
                double sum = Arrays.stream(other).sum();
                for (int expert = 0; expert < experts; expert++) {
                    direction[expert] -= sum * share[expert];
                }
            }

            Scenarios scenarios = Scenarios.of(share, directions, ranks, 0);

            for (int k = 0; k < K; k++) {
                double[] wanted = new double[experts];
                for (int expert = 0; expert < experts; expert++) {
                    double load = share[expert];
                    for (int d = 0; d < directions.length; d++) {
                        load += (Integer.bitCount(k & (d + 1)) % 2 == 0 ? 1 : -1) * directions[d][expert];
                    }
                    wanted[expert] = Math.max(0, Math.min(load, 3 * share[expert]));
                    clipped += wanted[expert] == load ? 0 : 1;
                }
                double sum = Arrays.stream(wanted).sum();
                for (int expert = 0; expert < experts; expert++) {
                    assertThat(scenarios.load()[expert * K + k])
                            .as("seed %d", seed)
                            .isCloseTo(wanted[expert] / sum * ranks, within(1e-9));
                }
            }
        }
        assertThat(clipped).isGreaterThan(100);
    }

    @Test
    void directionsAndWhatTheyLeaveOutAddUpToTheCovariance() {
        Random random = new Random(11);
        for (int i = 0; i < 40; i++) {
            int rows = random.nextInt(12);
            double[][] patterns = new double[rows][9];
            for (double[] pattern : patterns) {
                double scale = random.nextInt(4);
                for (int expert = 0; expert < 9; expert++) {
                    pattern[expert] = scale * random.nextGaussian();
                }
            }
            PrincipalDirections found = PrincipalDirections.of(patterns, K - 1);
            double rest = trace(patterns) - trace(found.directions());

            if (rows < K) {
                assertThat(found.rest()).isCloseTo(0, within(1e-9));
                for (int a = 0; a < 9; a++) {
                    for (int b = 0; b < 9; b++) {
                        assertThat(product(found.directions(), a, b)).isCloseTo(product(patterns, a, b), within(1e-9));
                    }
                }
            } else {
                // Directions are shortened by the noise of one each.
                assertThat(rest).isCloseTo(found.rest() / (rows - K + 1) * rows, within(1e-3 * trace(patterns)));
                assertThat(found.rest()).isLessThan(trace(patterns) * (rows - K + 1) / rows);
            }
        }
    }

    private static double product(double[][] rows, int a, int b) {
        double sum = 0;
        for (double[] row : rows) {
            sum += row[a] * row[b];
        }
        return sum;
    }

    private static double trace(double[][] rows) {
        double sum = 0;
        for (double[] row : rows) {
            for (double value : row) {
                sum += value * value;
            }
        }
        return sum;
    }

    @Test
    void expertsThatTakeTurnsWithinAWindowRiseAndFallAgainstEachOther() {
        long[][] turns = new long[16][];
        for (int sample = 0; sample < 16; sample++) {
            turns[sample] = sample / 2 % 2 == 0 ? new long[] {90, 10, 50} : new long[] {10, 90, 50};
        }
        List<ExpertLoad> windows = List.of(ExpertLoad.ofSamples(0, new long[][][] {turns}));

        double[] load = LoadForecast.of(windows, 0).scenarios(1).load();

        // 0.3 of the variance of parts, which is (80 / 300)².
        assertThat(covariance(load, 0, 1)).isCloseTo(-0.3 * 0.8 * 0.8 / 9, within(1e-9));
        assertThat(covariance(load, 2, 2)).isCloseTo(0, within(1e-9));
    }
}
