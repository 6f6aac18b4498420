package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ScenariosTest {
    private static final int K = Scenarios.COUNT;
    private static final int EXPERTS = 10;
    private static final int RANKS = 4;

    private static double[] share(Random random) {
        double[] share = new double[EXPERTS];
        Arrays.setAll(share, expert -> 1 + random.nextDouble());
        double sum = Arrays.stream(share).sum();
        return Arrays.stream(share).map(value -> value / sum).toArray();
    }

    /** Each adds up to zero, as differences of shares do. */
    private static double[][] directions(int count, double size, Random random) {
        double[][] directions = new double[count][EXPERTS];
        for (double[] direction : directions) {
            for (int expert = 0; expert < EXPERTS; expert += 2) {
                direction[expert] = size * random.nextGaussian();
                direction[expert + 1] = -direction[expert];
            }
        }
        return directions;
    }

    @Test
    void meanAndCovarianceAreThoseOfForecastAndDirectionsWhereNothingIsClipped() {
        for (int count = 0; count < K; count++) {
            Random random = new Random(count);
            double[] share = share(random);
            double[][] directions = directions(count, 0.001, random);

            Scenarios scenarios = Scenarios.of(share, directions, RANKS, 0);

            double[] mean = scenarios.mean();
            for (int a = 0; a < EXPERTS; a++) {
                assertThat(mean[a]).isEqualTo(RANKS * share[a], within(1e-12));
                for (int b = 0; b < EXPERTS; b++) {
                    double covariance = 0;
                    for (int k = 0; k < K; k++) {
                        covariance += (scenarios.load()[a * K + k] - mean[a])
                                * (scenarios.load()[b * K + k] - mean[b])
                                / K;
                    }
                    double expected = 0;
                    for (double[] direction : directions) {
                        expected += direction[a] * direction[b] * RANKS * RANKS;
                    }
                    assertThat(covariance).isEqualTo(expected, within(1e-12));
                }
            }
        }
    }

    @Test
    void everyScenarioAddsUpToTheNumberOfRanksAndHasNoNegativeLoad() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            Scenarios scenarios =
                    Scenarios.of(share(random), directions(random.nextInt(K), random.nextDouble(), random), RANKS, 0);

            for (int k = 0; k < K; k++) {
                double sum = 0;
                for (int expert = 0; expert < EXPERTS; expert++) {
                    assertThat(scenarios.load()[expert * K + k]).isNotNegative();
                    sum += scenarios.load()[expert * K + k];
                }
                assertThat(sum).as("seed %d scenario %d", seed, k).isEqualTo(RANKS, within(1e-9));
            }
        }
    }

    @Test
    void expertThatIsNotExpectedHasNoLoadInAnyScenario() {
        Random random = new Random(1);
        double[] share = share(random);
        share[1] += share[0];
        share[0] = 0;

        Scenarios scenarios = Scenarios.of(share, directions(7, 0.05, random), RANKS, 0);

        assertThat(Arrays.copyOf(scenarios.load(), K)).containsOnly(0);
    }
}
