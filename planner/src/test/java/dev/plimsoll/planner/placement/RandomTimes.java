package dev.plimsoll.planner.placement;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Device profiles for checks of planning by time: what reading and computing take, in any proportion. */
final class RandomTimes {
    /** Reads weights in 4 µs, which 50 tokens take to be computed. */
    static final DeviceProfile ROOFLINE =
            new DeviceProfile("roofline", List.of(new Point(1, 4), new Point(50, 4), new Point(100, 8)), 0);

    /** Computes for so long that reading weights does not show. */
    static final DeviceProfile COMPUTING =
            new DeviceProfile("computing", List.of(new Point(1, 0.1), new Point(1001, 100.1)), 0);

    /** Tabulated once: that takes longer than most plans do. */
    private static final List<ExpectedTime> SOME = some();

    private RandomTimes() {}

    private static List<ExpectedTime> some() {
        List<ExpectedTime> times = new ArrayList<>();
        for (long seed = 0; seed < 24; seed++) {
            times.add(new ExpectedTime(profile(new Random(seed * 0x9E3779B97F4A7C15L))));
        }
        return times;
    }

    /** One of some {@link #profile}s. */
    static ExpectedTime expected(Random random) {
        return SOME.get(random.nextInt(SOME.size()));
    }

    /** All of {@link #expected}. */
    static List<ExpectedTime> all() {
        return SOME;
    }

    /** Rooflines, weights and computing one after the other, whole tiles, and tables of any kind. */
    private static DeviceProfile profile(Random random) {
        double weights = 1 + 9 * random.nextDouble();
        double token = weights / (1 + random.nextInt(100));
        double received = random.nextInt(3) == 0 ? token / 4 : 0;
        List<Point> points = new ArrayList<>();
        switch (random.nextInt(4)) {
            case 0 -> {
                int knee = (int) Math.ceil(weights / token);
                points.add(new Point(1, weights));
                points.add(new Point(knee + 1, Math.max(weights, (knee + 1) * token)));
                points.add(new Point(2 * knee + 2, Math.max(weights, (2 * knee + 2) * token)));
            }
            case 1 -> {
                points.add(new Point(1, weights + token));
                points.add(new Point(1001, weights + 1001 * token));
            }
            case 2 -> {
                for (int tile = 0; tile < 64; tile++) {
                    double micros = Math.max(weights, 16 * (tile + 1) * token);
                    points.add(new Point(16 * tile + 1, micros));
                    points.add(new Point(16 * tile + 16, micros));
                }
            }
            default -> {
                List<Double> micros = new ArrayList<>();
                for (int i = 0; i < 5; i++) {
                    micros.add(weights * (1 + random.nextInt(20)));
                }
                Collections.sort(micros);
                for (int i = 0; i < 5; i++) {
                    points.add(new Point(1 + 40 * i, micros.get(i)));
                }
            }
        }
        return new DeviceProfile("random", points, received);
    }

    /** Tokens per step of a layer: from less than one for most experts to many for each. */
    static double[] tokensPerStep(Random random, int experts) {
        double[] tokens = new double[Scenarios.COUNT];
        double mean = experts * Math.pow(2, random.nextInt(12) - 2);
        for (int k = 0; k < tokens.length; k++) {
            tokens[k] = mean * (1 + 0.3 * random.nextDouble());
        }
        return tokens;
    }

    /** A valid placement in which slots of redundant replicas are idle now and then; {@code experts} stands for nothing. */
    static int[] withIdle(Random random, int[] placed, int experts) {
        int[] replicas = new int[experts];
        for (int expert : placed) {
            replicas[expert]++;
        }
        int[] idle = placed.clone();
        for (int slot = 0; slot < idle.length; slot++) {
            if (replicas[placed[slot]] > 1 && random.nextInt(3) > 0) {
                replicas[placed[slot]]--;
                idle[slot] = experts;
            }
        }
        return idle;
    }
}
