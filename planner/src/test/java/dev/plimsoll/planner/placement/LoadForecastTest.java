package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LoadForecastTest {
    private static final int EXPERTS = 16;
    private static final long[] STEEP = {900, 700, 500, 400, 300, 250, 200, 150, 120, 100, 90, 80, 70, 60, 50, 40};

    private static ExpertLoad window(long... load) {
        return ExpertLoad.of(0, new long[][] {load});
    }

    private static double[] forecast(List<ExpertLoad> windows) {
        return LoadForecast.of(windows, 0).share();
    }

    private static long[] reversed(long[] load) {
        long[] reversed = new long[load.length];
        Arrays.setAll(reversed, expert -> load[load.length - 1 - expert]);
        return reversed;
    }

    private static long[] noisy(long[] load, double noise, Random random) {
        return Arrays.stream(load)
                .map(tokens -> Math.round(100 * tokens * (1 + noise * (2 * random.nextDouble() - 1))))
                .toArray();
    }

    private static double[] share(long[] load) {
        double sum = Arrays.stream(load).sum();
        return Arrays.stream(load).mapToDouble(tokens -> tokens / sum).toArray();
    }

    private static double squaredDistance(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return sum;
    }

    @Test
    void constantLoadIsForetoldToStayAndHasNoScenariosBesides() {
        LoadForecast forecast = LoadForecast.of(Collections.nCopies(12, window(STEEP)), 0);
        Scenarios scenarios = forecast.scenarios(4);

        assertThat(forecast.share()).containsExactly(share(STEEP), within(1e-12));
        assertThat(scenarios.noise()).isEqualTo(0, within(1e-12));
        for (int i = 0; i < scenarios.load().length; i++) {
            assertThat(scenarios.load()[i]).isEqualTo(4 * share(STEEP)[i / Scenarios.COUNT], within(1e-12));
        }
    }

    @Test
    void oneWindowIsItsOwnForecast() {
        assertThat(forecast(List.of(window(STEEP)))).containsExactly(share(STEEP), within(1e-12));
    }

    @Test
    void oneWindowAfterAJumpAllBeforeIsForgotten() {
        Random random = new Random(1);
        for (double noise : new double[] {0, 0.02, 0.1}) {
            List<ExpertLoad> windows = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                windows.add(window(noisy(STEEP, noise, random)));
            }
            windows.add(window(noisy(reversed(STEEP), noise, random)));

            double before = squaredDistance(share(STEEP), share(reversed(STEEP)));
            assertThat(squaredDistance(forecast(windows), share(reversed(STEEP))))
                    .as("noise %s", noise)
                    .isLessThan(before / 100);
        }
    }

    @Test
    void noisyLoadThatStaysIsForetoldBetterThanByTheLastWindow() {
        double errors = 0;
        double errorsOfLast = 0;
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            List<ExpertLoad> windows = new ArrayList<>();
            long[] last = {};
            for (int i = 0; i < 20; i++) {
                last = noisy(STEEP, 0.3, random);
                windows.add(window(last));
            }
            errors += squaredDistance(forecast(windows), share(STEEP));
            errorsOfLast += squaredDistance(share(last), share(STEEP));
        }
        assertThat(errors).isLessThan(errorsOfLast / 4);
    }

    @Test
    void trendIsFollowed() {
        List<ExpertLoad> windows = new ArrayList<>();
        long[] next = {};
        for (int i = 0; i <= 12; i++) {
            long[] load = new long[EXPERTS];
            for (int expert = 0; expert < EXPERTS; expert++) {
                load[expert] = 2000 + (expert % 2 == 0 ? 100L : -100L) * i;
            }
            if (i < 12) {
                windows.add(window(load));
            }
            next = load;
        }
        double[] newest = share(
                Arrays.stream(windows.get(11).layer(0)).mapToLong(Math::round).toArray());

        assertThat(squaredDistance(forecast(windows), share(next)))
                .isLessThan(squaredDistance(newest, share(next)) / 4);
    }

    @Test
    void windowsWithoutLoadAreSkipped() {
        Random random = new Random(3);
        List<ExpertLoad> windows = new ArrayList<>();
        List<ExpertLoad> withPauses = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            ExpertLoad window = window(noisy(STEEP, 0.2, random));
            windows.add(window);
            withPauses.add(window);
            withPauses.add(window(new long[EXPERTS]));
        }
        assertThat(forecast(withPauses)).isEqualTo(forecast(windows));
    }

    @Test
    void windowsBeforeThoseLookedBackOnDoNotCount() {
        Random random = new Random(4);
        List<ExpertLoad> windows = new ArrayList<>();
        for (int i = 0; i < LoadForecast.WINDOWS + 5; i++) {
            windows.add(window(noisy(STEEP, 0.5, random)));
        }
        assertThat(forecast(windows)).isEqualTo(forecast(windows.subList(5, windows.size())));
    }

    @Test
    void moreTrafficDoesNotWeighMore() {
        long[] thousandfold = Arrays.stream(STEEP).map(tokens -> 1000 * tokens).toArray();

        assertThat(forecast(List.of(window(reversed(STEEP)), window(thousandfold))))
                .containsExactly(forecast(List.of(window(reversed(STEEP)), window(STEEP))), within(1e-12));
    }

    @Test
    void nothingIsKnownOfALayerWithoutLoad() {
        assertThat(LoadForecast.of(List.of(window(new long[EXPERTS])), 0).known())
                .isFalse();
    }

    @Test
    void sharesAreNotNegativeAndAddUpToOne() {
        int known = 0;
        for (long seed = 0; seed < 5000; seed++) {
            LoadForecast forecast = LoadForecast.of(RandomInstance.of(seed).windows(), 0);
            if (forecast.known()) {
                assertThat(Arrays.stream(forecast.share()).sum())
                        .as("seed %d", seed)
                        .isEqualTo(1, within(1e-9));
                assertThat(Arrays.stream(forecast.share()).min().orElseThrow())
                        .as("seed %d", seed)
                        .isNotNegative();
                known++;
            }
        }
        assertThat(known).isGreaterThan(2000);
    }

    @Test
    void expertsThatRiseTogetherInSubSamplesRiseTogetherInScenarios() {
        long[][] samples = new long[8][EXPERTS];
        for (int sample = 0; sample < samples.length; sample++) {
            Arrays.fill(samples[sample], 1000);
            long swing = sample % 2 == 0 ? 300 : -300;
            samples[sample][0] += swing;
            samples[sample][1] += swing;
            samples[sample][2] -= swing;
            samples[sample][3] -= swing;
        }
        Scenarios scenarios = LoadForecast.of(List.of(ExpertLoad.ofSamples(0, new long[][][] {samples})), 0)
                .scenarios(4);

        assertThat(covariance(scenarios, 0, 1)).isGreaterThan(1e-4);
        assertThat(covariance(scenarios, 0, 2)).isLessThan(-1e-4);
        assertThat(covariance(scenarios, 0, 4)).isEqualTo(0, within(1e-9));
    }

    private static double covariance(Scenarios scenarios, int a, int b) {
        double[] mean = scenarios.mean();
        double sum = 0;
        for (int k = 0; k < Scenarios.COUNT; k++) {
            sum += (scenarios.load()[a * Scenarios.COUNT + k] - mean[a])
                    * (scenarios.load()[b * Scenarios.COUNT + k] - mean[b]);
        }
        return sum / Scenarios.COUNT;
    }
}
