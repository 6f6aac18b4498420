package dev.plimsoll.bench;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.History;
import dev.plimsoll.replay.HistoryWindow;
import dev.plimsoll.replay.PolicyChoice;
import dev.plimsoll.replay.Replay;
import dev.plimsoll.replay.RunSpec;
import dev.plimsoll.replay.result.PastWindow;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a replay's time and memory grow with the length of the past: 58 layers × 256 experts on 64 ranks with 64 redundant slots, made-up
 * windows of 8 sub-samples that are drawn once and gone through forwards and backwards.
 *
 * <pre>java -Xmx512m -cp 'bench/target/lib/*:bench/target/classes' dev.plimsoll.bench.ReplayGrowth plimsoll 200,400,800</pre>
 *
 * <p>The first length is run twice, as the first time warms the JVM up.
 */
public final class ReplayGrowth {
    private static final int LAYERS = 58;
    private static final int EXPERTS = 256;
    private static final int RANKS = 64;
    private static final int DRAWN = 24;
    private static final long EXPERT_BYTES = 44_040_192;
    private static final int WINDOW_STEPS = 1024;
    private static final long WINDOW_MILLIS = 51_200;

    private ReplayGrowth() {}

    /** @param args policies with {@code +} between them, lengths with commas, threads (one per processor) */
    public static void main(String[] args) throws Exception {
        List<PolicyChoice> policies = Arrays.stream((args.length > 0 ? args[0] : "plimsoll").split("\\+"))
                .map(PolicyChoice::parse)
                .toList();
        int[] lengths = Arrays.stream((args.length > 1 ? args[1] : "200,400,800").split(","))
                .mapToInt(Integer::parseInt)
                .toArray();
        int threads = args.length > 2
                ? Integer.parseInt(args[2])
                : Runtime.getRuntime().availableProcessors();
        List<ExpertLoad> drawn = DriftingLoads.of(DRAWN, LAYERS, EXPERTS, 1);
        System.out.printf(
                Locale.ROOT,
                "%d layers × %d experts, %d ranks, %s, %d threads%n",
                LAYERS,
                EXPERTS,
                RANKS,
                policies.stream().map(PolicyChoice::name).toList(),
                threads);
        run(drawn, policies, lengths[0], threads);
        System.out.printf(
                Locale.ROOT, "%10s %10s %10s %12s %12s%n", "WINDOWS", "SECONDS", "PER S", "PLAN CPU S", "HEAP MIB");
        for (int length : lengths) {
            System.out.println(run(drawn, policies, length, threads));
        }
    }

    private static String run(List<ExpertLoad> drawn, List<PolicyChoice> policies, int length, int threads)
            throws Exception {
        MadeUp past = new MadeUp(drawn, length);
        List<RunSpec> specs =
                RunSpec.of(policies, List.of(RunSpec.configuration(past.members())), past.members(), past.placement());
        long began = System.nanoTime();
        try (Replay replay = new Replay(past, specs, Duration.ofMillis(50), threads, Optional.empty())) {
            while (replay.advance()) {
                // to its end
            }
            double seconds = (System.nanoTime() - began) / 1e9;
            System.gc();
            long heap =
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            String line = String.format(
                    Locale.ROOT,
                    "%10d %10.1f %10.1f %12.1f %12d",
                    length,
                    seconds,
                    length / seconds,
                    replay.planMillis().stream().mapToDouble(millis -> millis).sum() / 1e3,
                    heap >> 20);
            Reference.reachabilityFence(replay);
            return line;
        }
    }

    private static final class MadeUp implements History {
        private final List<ExpertLoad> drawn;
        private final int length;
        private int at;

        private MadeUp(List<ExpertLoad> drawn, int length) {
            this.drawn = drawn;
            this.length = length;
        }

        @Override
        public Membership members() {
            return new Membership(
                    new Deployment("made-up"),
                    1,
                    ModelShape.of("made up", EXPERTS, 8, 3, LAYERS),
                    Topology.even(RANKS, RANKS / 8, (EXPERTS + RANKS) / RANKS),
                    "none",
                    Phase.DECODE,
                    GatherMode.HOST,
                    16,
                    WINDOW_STEPS,
                    EXPERT_BYTES,
                    64 * EXPERT_BYTES);
        }

        @Override
        public boolean expertBytesKnown() {
            return true;
        }

        @Override
        public Placement placement() {
            return Placement.initial(members().shape(), members().topology());
        }

        @Override
        public OptionalInt windows() {
            return OptionalInt.of(length);
        }

        @Override
        public Optional<HistoryWindow> next() {
            if (at == length) {
                return Optional.empty();
            }
            int turn = at % (2 * drawn.size());
            ExpertLoad of = drawn.get(turn < drawn.size() ? turn : 2 * drawn.size() - 1 - turn);
            long[][][] samples = new long[LAYERS][of.samples()][EXPERTS];
            long total = 0;
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int sample = 0; sample < of.samples(); sample++) {
                    for (int expert = 0; expert < EXPERTS; expert++) {
                        samples[layer][sample][expert] = of.at(layer, sample, expert);
                        total += samples[layer][sample][expert];
                    }
                }
            }
            PastWindow facts = new PastWindow(
                    at,
                    (long) at * WINDOW_STEPS + 1,
                    (at + 1L) * WINDOW_STEPS,
                    (at + 1L) * WINDOW_MILLIS,
                    total,
                    1,
                    true,
                    "");
            at++;
            return Optional.of(HistoryWindow.of(facts, ExpertLoad.ofSamples(facts.index(), samples)));
        }

        @Override
        public String source() {
            return "made up";
        }

        @Override
        public Map<String, String> inputs() {
            return Map.of();
        }

        @Override
        public List<String> notes() {
            return List.of();
        }

        @Override
        public void close() {
            // nothing is open
        }
    }
}
