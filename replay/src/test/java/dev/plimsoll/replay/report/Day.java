package dev.plimsoll.replay.report;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.WindowMatrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Results of the size of a day of DeepSeek-R1, 58 layers × 256 experts on 32 ranks with 32 redundant slots; numbers from a seed, of no policy. */
final class Day {
    private static final int LAYERS = 58;
    private static final int EXPERTS = 256;
    private static final int SLOTS = 288;

    private Day() {}

    static ReplayResult of(int windows, int policies, int pictures) {
        Random random = new Random(11);
        List<PastWindow> past = new ArrayList<>();
        for (int w = 0; w < windows; w++) {
            past.add(new PastWindow(
                    w,
                    w * 100L,
                    w * 100L + 99,
                    1_795_910_400_000L + w * 10_000L,
                    40_000_000 + random.nextInt(1_000_000),
                    1,
                    true,
                    ""));
        }
        List<WindowMatrix> matrices = new ArrayList<>();
        for (int m = 0; m < pictures; m++) {
            long[][] load = new long[LAYERS][EXPERTS];
            for (long[] layer : load) {
                for (int expert = 0; expert < EXPERTS; expert++) {
                    layer[expert] = (long) (2_500 * Math.exp(random.nextGaussian()));
                }
            }
            matrices.add(new WindowMatrix((long) m * windows / pictures, m % 2 == 0 ? "worst" : "decision", load));
        }
        List<PolicyRun> runs = new ArrayList<>();
        for (int p = 0; p < policies; p++) {
            runs.add(run(p == 0 ? "static" : "policy-" + p, windows, matrices, random));
        }
        return new ReplayResult(
                new Provenance("seeded", "r1/day", Map.of(), "none", "0", "", List.of()),
                ModelShape.of("r1", EXPERTS, 8, 3, LAYERS),
                past,
                List.of(),
                List.of(),
                runs,
                matrices);
    }

    private static PolicyRun run(String name, int windows, List<WindowMatrix> matrices, Random random) {
        List<ServedWindow> served = new ArrayList<>();
        List<MadeDecision> decisions = new ArrayList<>();
        for (int w = 0; w < windows; w++) {
            double mean = 0.8 + 0.05 * random.nextGaussian() + 0.08 * Math.sin(w / 700.0);
            mean = Math.min(1, Math.max(0.1, mean));
            served.add(new ServedWindow(
                    w, mean, mean * random.nextDouble(0.5, 0.9), random.nextInt(LAYERS), 1e6 / mean, w / 40));
            if (w % 40 == 39) {
                decisions.add(new MadeDecision(
                        w,
                        w / 40,
                        random.nextLong(),
                        300,
                        300L * 44_040_192,
                        LAYERS,
                        mean,
                        0.9,
                        0.88,
                        mean,
                        1 - mean / 0.88,
                        1,
                        "300 moves pay, says window " + w));
            }
        }
        int[][] placement = new int[LAYERS][SLOTS];
        Map<Long, int[][]> placements = new HashMap<>();
        for (WindowMatrix matrix : matrices) {
            int[][] next = new int[LAYERS][];
            for (int layer = 0; layer < LAYERS; layer++) {
                next[layer] = placement[layer].clone();
                for (int change = 0; change < 12; change++) {
                    next[layer][random.nextInt(SLOTS)] = random.nextInt(EXPERTS);
                }
            }
            placements.put(matrix.index(), next);
            placement = next;
        }
        return new PolicyRun(name, Map.of(), 32, 32, 4, served, decisions, Map.of("BALANCED", windows), 1, placements);
    }
}
