package dev.plimsoll.replay.report;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Gain;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.ReplayResult.Gap;
import dev.plimsoll.replay.result.WindowMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A replay as an engine would find it, from a seed: domains that wander, a jump, a gap, incomplete windows, a layer that is idle at
 * first, experts that nobody asks for, and policies that really place experts (by exchanges, not by ours).
 */
final class SampleReplay {
    static final String HOSTILE = "</script><img src=x onerror=\"document.title='broken'\">";
    static final int IDLE_LAYER = 5;
    static final int UNKNOWN_LAYER = 7;
    /** Of {@link #UNKNOWN_LAYER}, in the matrix of the worst window. */
    static final int UNKNOWN_EXPERTS = 10;

    private static final int TOKENS = 40_000;
    private static final long WINDOW_MILLIS = 10_000;
    private static final long START = 1_795_910_400_000L;
    private static final long EXPERT_BYTES = 44_040_192L;

    private final ModelShape shape;
    private final int count;
    private final Random random;
    private final List<PastWindow> windows = new ArrayList<>();
    /** {@code [window][layer][expert]} */
    private final List<double[][]> loads = new ArrayList<>();

    private SampleReplay(ModelShape shape, int count, long seed) {
        this.shape = shape;
        this.count = count;
        this.random = new Random(seed);
    }

    private record Rule(String name, int every, int exchanges, double least) {}

    static ReplayResult small(String deployment, long seed) {
        return new SampleReplay(ModelShape.of("deepseek-r1-like", 64, 8, 3, 26), 360, seed).replay(deployment);
    }

    /** Where {@code main} may be told to write to. */
    public static void main(String[] arguments) throws IOException {
        Files.writeString(Path.of(arguments[0]), Report.html(small("r1/decode-0", 7)));
    }

    private ReplayResult replay(String deployment) {
        makeWindows();
        Topology tight = Topology.even(16, 2, shape.experts() / 16 + 1);
        Topology wide = Topology.even(16, 2, shape.experts() / 16 + 2);
        List<PolicyRun> live = List.of(run(new Rule("live", 45, 3, 0.02), tight));
        List<PolicyRun> runs = new ArrayList<>();
        for (Topology topology : List.of(tight, wide)) {
            for (Rule rule : List.of(
                    new Rule("static", 0, 0, 0),
                    new Rule("plimsoll", 9, 4, 0.01),
                    new Rule("plimsoll:minimum-gain=0.05", 9, 6, 0.05),
                    new Rule("swift", 30, 40, 0))) {
                runs.add(run(rule, topology));
            }
        }
        List<ServedWindow> worst = new ArrayList<>(live.get(0).served());
        worst.sort(Comparator.comparingDouble(ServedWindow::mean));
        List<WindowMatrix> matrices = new ArrayList<>();
        Map<Long, String> why = new TreeMap<>();
        live.get(0).decisions().forEach(decision -> why.put(decision.windowIndex(), "decision"));
        worst.stream().limit(6).forEach(window -> why.put(window.index(), "worst"));
        why.forEach((index, reason) -> matrices.add(new WindowMatrix(index, reason, whole(index))));
        for (int expert = 0; expert < UNKNOWN_EXPERTS; expert++) {
            matrix(matrices, worst.get(0).index()).load()[UNKNOWN_LAYER][expert] = -1;
        }
        return new ReplayResult(
                new Provenance(
                        "topic plimsoll.windows.v1, deployment " + deployment + ", 21 Nov 2026, read committed",
                        deployment,
                        Map.of(
                                "plimsoll.windows.v1-2@18344..18704", "offsets 18344 to 18704",
                                "plimsoll.plan.v1-2@901..977", "offsets 901 to 977"),
                        "plimsoll replay run --bootstrap-servers kafka:9092 --deployment " + deployment
                                + " --from 2026-11-29T08:00Z --to 2026-11-29T09:00Z --policy static --policy plimsoll"
                                + " --policy plimsoll:minimum-gain=0.05 --policy swift --grid redundancy=16,32 -o out/",
                        "0.1.0",
                        "7c0f6d0d6a2f3d51c2a9c7dd4f3f1f9eb0f2c4a37e5b1b5f7a0c9e8d7c6b5a49",
                        List.of(
                                "Loads are top-k assignments; windows are of 64 steps.",
                                "3 windows were not complete and are left out.",
                                "Bytes assume 44 MB for an expert of one layer.")),
                shape,
                windows,
                List.of(new Gap(1201, 1215, "the aggregator was down")),
                live,
                runs.stream().map(run -> only(run, why.keySet())).toList(),
                matrices);
    }

    private static PolicyRun only(PolicyRun run, Set<Long> indices) {
        Map<Long, int[][]> placements = new LinkedHashMap<>(run.placements());
        placements.keySet().retainAll(indices);
        return new PolicyRun(
                run.name(),
                run.settings(),
                run.ranks(),
                run.redundant(),
                run.nodes(),
                run.served(),
                run.decisions(),
                run.kept(),
                run.planMillis(),
                placements);
    }

    private static WindowMatrix matrix(List<WindowMatrix> matrices, long index) {
        return matrices.stream()
                .filter(matrix -> matrix.index() == index)
                .findFirst()
                .orElseThrow();
    }

    private long[][] whole(long index) {
        int at = IntStream.range(0, windows.size())
                .filter(i -> windows.get(i).index() == index)
                .findFirst()
                .orElseThrow();
        return Arrays.stream(loads.get(at))
                .map(layer -> Arrays.stream(layer).mapToLong(Math::round).toArray())
                .toArray(long[][]::new);
    }

    private void makeWindows() {
        int layers = shape.layers();
        int experts = shape.experts();
        int domains = 4;
        double[][][] taste = new double[domains][layers][experts];
        for (double[][] domain : taste) {
            for (double[] layer : domain) {
                for (int expert = 0; expert < experts; expert++) {
                    layer[expert] = Math.exp(random.nextGaussian() * 0.85);
                }
            }
        }
        long index = 1000;
        for (int w = 0; w < count; w++, index++) {
            if (index == 1201) {
                index = 1216; // the gap
            }
            double phase = 2 * Math.PI * w / count;
            double[] mix = {1 + Math.sin(phase), 1 + Math.cos(phase * 1.7), 0.2, 0.2};
            if (w > count * 0.62) {
                mix = new double[] {0.15, 0.4 + 0.3 * Math.sin(phase * 3), 2.2, 0.5}; // the jump
            }
            double[][] load = new double[layers][experts];
            double all = 0;
            for (int layer = 0; layer < layers; layer++) {
                if (layer == IDLE_LAYER && w < count / 4) {
                    continue;
                }
                double sum = 0;
                for (int expert = 0; expert < experts; expert++) {
                    double share = 0;
                    for (int d = 0; d < domains; d++) {
                        share += mix[d] * taste[d][layer][expert];
                    }
                    // Nobody asks for these.
                    share = (expert + layer * 7) % 61 == 0 ? 0 : share * Math.exp(random.nextGaussian() * 0.08);
                    load[layer][expert] = share;
                    sum += share;
                }
                for (int expert = 0; expert < experts; expert++) {
                    load[layer][expert] = Math.rint(load[layer][expert] / sum * TOKENS);
                    all += load[layer][expert];
                }
            }
            boolean incomplete = w == 40 || w == 41 || w == 290;
            windows.add(new PastWindow(
                    index,
                    index * 64,
                    index * 64 + 63,
                    START + index * WINDOW_MILLIS,
                    (long) all,
                    incomplete ? 0.9375 : 1,
                    !incomplete,
                    incomplete ? "1 of 16 ranks is missing" : ""));
            loads.add(load);
        }
    }

    private PolicyRun run(Rule rule, Topology topology) {
        Placement placement = Placement.initial(shape, topology);
        List<ServedWindow> served = new ArrayList<>();
        List<MadeDecision> decisions = new ArrayList<>();
        Map<Long, int[][]> placements = new LinkedHashMap<>();
        Map<String, Integer> kept = new TreeMap<>();
        for (int w = 0; w < count; w++) {
            if (!windows.get(w).usable()) {
                kept.merge("INCOMPLETE", 1, Integer::sum);
                continue;
            }
            long index = windows.get(w).index();
            double[][] load = loads.get(w);
            Balance balance = EvenSplit.balance(placement, load, topology);
            served.add(new ServedWindow(
                    index,
                    balance.mean(),
                    balance.min(),
                    balance.worstLayer(),
                    EvenSplit.hottest(placement, load, topology),
                    placement.version()));
            placements.put(index, placement.toArray());
            boolean due = rule.every() > 0 && w % rule.every() == rule.every() - 1 && w < count - 1;
            if (!due) {
                kept.merge(rule.every() == 0 ? "BALANCED" : w < rule.every() ? "COLD" : "COOLDOWN", 1, Integer::sum);
                continue;
            }
            int[][] next = placement.toArray();
            for (int layer = 0; layer < next.length; layer++) {
                exchange(next[layer], load[layer], topology, rule.exchanges());
            }
            int moves = differences(placement.toArray(), next);
            Placement changed = Placement.of(placement.version() + 1, next);
            double predicted = EvenSplit.balance(changed, load, topology).mean();
            if (predicted - balance.mean() < rule.least() || moves == 0) {
                kept.merge(moves == 0 ? "BALANCED" : "GAIN", 1, Integer::sum);
                continue;
            }
            boolean measurable = windows.get(w + 1).usable();
            decisions.add(new MadeDecision(
                    index,
                    decisions.size() + 1,
                    changed.hash(),
                    moves,
                    moves * EXPERT_BYTES,
                    shape.layers(),
                    balance.mean(),
                    predicted,
                    measurable
                            ? EvenSplit.balance(changed, loads.get(w + 1), topology)
                                    .mean()
                            : Double.NaN,
                    measurable
                            ? EvenSplit.balance(placement, loads.get(w + 1), topology)
                                    .mean()
                            : Double.NaN,
                    measurable
                            ? Gain.of(
                                    EvenSplit.hottest(placement, loads.get(w + 1), topology),
                                    EvenSplit.hottest(changed, loads.get(w + 1), topology))
                            : Double.NaN,
                    measurable ? 1 : 0,
                    String.format("%d moves lift balancedness from %.3f to %.3f", moves, balance.mean(), predicted)));
            placement = changed;
        }
        return new PolicyRun(
                rule.name(),
                rule.every() == 0
                        ? Map.of()
                        : Map.of("interval", rule.every() + " windows", "least-gain", "" + rule.least()),
                topology.ranks(),
                topology.slots() - shape.experts(),
                2,
                served,
                decisions,
                kept,
                random.nextDouble(),
                placements);
    }

    /** Exchanges slots between the hottest rank and others while that helps the layer. */
    private static void exchange(int[] experts, double[] load, Topology topology, int most) {
        int perRank = topology.slotsPerRank();
        for (int round = 0; round < most; round++) {
            double[] ranks = EvenSplit.rankLoads(experts, load, topology);
            int hot = IntStream.range(0, ranks.length)
                    .boxed()
                    .max(Comparator.comparingDouble(rank -> ranks[rank]))
                    .orElseThrow();
            int cold = IntStream.range(0, ranks.length)
                    .boxed()
                    .min(Comparator.comparingDouble(rank -> ranks[rank]))
                    .orElseThrow();
            int from = -1;
            int to = -1;
            double best = ranks[hot] * 0.995;
            for (int a = hot * perRank; a < (hot + 1) * perRank; a++) {
                for (int b = cold * perRank; b < (cold + 1) * perRank; b++) {
                    int[] tried = experts.clone();
                    tried[a] = experts[b];
                    tried[b] = experts[a];
                    if (holdsTwice(tried, hot, perRank) || holdsTwice(tried, cold, perRank)) {
                        continue;
                    }
                    double[] then = EvenSplit.rankLoads(tried, load, topology);
                    double worse = Math.max(then[hot], then[cold]);
                    if (worse < best) {
                        best = worse;
                        from = a;
                        to = b;
                    }
                }
            }
            if (from < 0) {
                return;
            }
            int expert = experts[from];
            experts[from] = experts[to];
            experts[to] = expert;
        }
    }

    private static boolean holdsTwice(int[] experts, int rank, int perRank) {
        return Arrays.stream(experts, rank * perRank, (rank + 1) * perRank)
                        .distinct()
                        .count()
                < perRank;
    }

    private static int differences(int[][] before, int[][] after) {
        int moves = 0;
        for (int layer = 0; layer < before.length; layer++) {
            for (int slot = 0; slot < before[layer].length; slot++) {
                moves += before[layer][slot] != after[layer][slot] ? 1 : 0;
            }
        }
        return moves;
    }
}
