package dev.plimsoll.bench;

import dev.plimsoll.planner.placement.ExpertLoad;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Made-up windows of a model that serves a changing mix of domains: each domain has its own log-normal popularities of experts,
 * shares of domains wander from window to window and wobble inside one, and counts are noisy. No claim to be real: for real
 * and calibrated loads see {@code plimsoll bench planner}.
 */
final class DriftingLoads {
    private static final int DOMAINS = 5;
    private static final int SAMPLES = 8;
    private static final double TOKENS_PER_EXPERT = 4000;

    private DriftingLoads() {}

    static List<ExpertLoad> of(int windows, int layers, int experts, long seed) {
        Random random = new Random(seed);
        double[][][] popularity = new double[layers][DOMAINS][experts];
        for (double[][] layer : popularity) {
            double[] common = logNormal(random, experts, 0.55);
            for (double[] domain : layer) {
                double[] own = logNormal(random, experts, 0.55);
                for (int expert = 0; expert < experts; expert++) {
                    domain[expert] = common[expert] * own[expert];
                }
            }
        }
        double[] mix = logNormal(random, DOMAINS, 0.5);
        List<ExpertLoad> loads = new ArrayList<>();
        for (int window = 0; window < windows; window++) {
            long[][][] samples = new long[layers][SAMPLES][experts];
            wander(random, mix, 0.15);
            for (int sample = 0; sample < SAMPLES; sample++) {
                double[] now = mix.clone();
                wander(random, now, 0.3);
                for (int layer = 0; layer < layers; layer++) {
                    draw(random, popularity[layer], now, samples[layer][sample]);
                }
            }
            loads.add(ExpertLoad.ofSamples(window, samples));
        }
        return loads;
    }

    private static double[] logNormal(Random random, int count, double sigma) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = Math.exp(sigma * random.nextGaussian());
        }
        return values;
    }

    private static void wander(Random random, double[] mix, double sigma) {
        for (int i = 0; i < mix.length; i++) {
            mix[i] *= Math.exp(sigma * random.nextGaussian());
        }
    }

    private static void draw(Random random, double[][] popularity, double[] mix, long[] counts) {
        double sum = 0;
        for (double weight : mix) {
            sum += weight;
        }
        for (int expert = 0; expert < counts.length; expert++) {
            double expected = 0;
            for (int domain = 0; domain < mix.length; domain++) {
                expected += mix[domain] / sum * popularity[domain][expert] * TOKENS_PER_EXPERT / SAMPLES;
            }
            counts[expert] = Math.max(0, Math.round(expected + Math.sqrt(10 * expected) * random.nextGaussian()));
        }
    }
}
