package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PrincipalDirectionsTest {
    private static final int EXPERTS = 12;
    private static final int MOST = 7;

    /** Rows that are each a random mixture of a few random patterns. */
    private static double[][] mixture(int rows, int rank, Random random) {
        double[][] basis = noise(rank, random);
        double[][] patterns = new double[rows][EXPERTS];
        for (double[] pattern : patterns) {
            for (double[] direction : basis) {
                double part = random.nextGaussian();
                for (int expert = 0; expert < EXPERTS; expert++) {
                    pattern[expert] += part * direction[expert];
                }
            }
        }
        return patterns;
    }

    private static double[][] noise(int rows, Random random) {
        double[][] noise = new double[rows][EXPERTS];
        for (double[] row : noise) {
            Arrays.setAll(row, expert -> random.nextGaussian());
        }
        return noise;
    }

    private static double[] covariance(double[][] rows) {
        double[] covariance = new double[EXPERTS * EXPERTS];
        for (double[] row : rows) {
            for (int i = 0; i < covariance.length; i++) {
                covariance[i] += row[i / EXPERTS] * row[i % EXPERTS];
            }
        }
        return covariance;
    }

    private static double trace(double[][] rows) {
        return Arrays.stream(rows)
                .flatMapToDouble(Arrays::stream)
                .map(value -> value * value)
                .sum();
    }

    @Test
    void covarianceOfFewPatternsIsReproduced() {
        Random random = new Random(1);
        for (int rank = 1; rank <= MOST; rank++) {
            for (int rows : new int[] {rank, MOST, 24}) {
                double[][] patterns = mixture(rows, rank, random);

                PrincipalDirections found = PrincipalDirections.of(patterns, MOST);

                assertThat(covariance(found.directions()))
                        .as("rank %d of %d rows", rank, rows)
                        .containsExactly(covariance(patterns), within(1e-9 * trace(patterns)));
                assertThat(found.rest()).isEqualTo(0, within(1e-9 * trace(patterns)));
            }
        }
    }

    @Test
    void onePatternThatRecursIsTheOnlyDirection() {
        double[] pattern = noise(1, new Random(2))[0];
        double[][] rows = new double[5][];
        for (int row = 0; row < rows.length; row++) {
            double part = row - 1.5;
            rows[row] = Arrays.stream(pattern).map(value -> part * value).toArray();
        }
        PrincipalDirections found = PrincipalDirections.of(rows, MOST);

        assertThat(Arrays.stream(found.directions()).filter(direction -> trace(new double[][] {direction}) > 1e-9))
                .hasSize(1);
    }

    @Test
    void withoutPatternsThereAreNoDirections() {
        PrincipalDirections found = PrincipalDirections.of(new double[0][], MOST);

        assertThat(found.directions()).isEmpty();
        assertThat(found.rest()).isZero();
    }

    @Test
    void patternsOfZerosAreDirectionsOfZeros() {
        PrincipalDirections found = PrincipalDirections.of(new double[10][EXPERTS], MOST);

        assertThat(trace(found.directions())).isZero();
        assertThat(found.rest()).isZero();
    }

    @Test
    void thereAreNoMoreDirectionsThanPatterns() {
        double[][] patterns = noise(3, new Random(3));

        PrincipalDirections found = PrincipalDirections.of(patterns, MOST);

        assertThat(found.directions()).hasDimensions(3, EXPERTS);
        assertThat(covariance(found.directions()))
                .containsExactly(covariance(patterns), within(1e-9 * trace(patterns)));
    }

    @Test
    void directionsLoseWhatNoiseAloneWouldShow() {
        Random random = new Random(4);
        for (int seed = 0; seed < 20; seed++) {
            double[][] patterns = noise(20, random);
            PrincipalDirections found = PrincipalDirections.of(patterns, MOST);
            double shown = trace(patterns) - found.rest();
            double noise = found.rest() / (20 - MOST);

            assertThat(found.rest()).isPositive().isLessThan(trace(patterns));
            assertThat(trace(found.directions())).isEqualTo(shown - MOST * noise, within(0.05 * shown));
        }
    }

    @Test
    void strongPatternsStandOutOfNoise() {
        Random random = new Random(5);
        double[][] patterns = mixture(20, 2, random);
        double[] strong = covariance(patterns);
        double[][] faint = noise(20, random);
        for (int row = 0; row < 20; row++) {
            for (int expert = 0; expert < EXPERTS; expert++) {
                patterns[row][expert] += 0.01 * faint[row][expert];
            }
        }
        PrincipalDirections found = PrincipalDirections.of(patterns, MOST);

        assertThat(covariance(found.directions())).containsExactly(strong, within(0.01 * trace(patterns)));
    }
}
