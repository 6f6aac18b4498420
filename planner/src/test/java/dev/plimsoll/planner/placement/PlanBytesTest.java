package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same requests have the same plans, byte for byte, on any JVM and from any number of threads. */
class PlanBytesTest {
    /**
     * SHA-256 of all plans of the corpus. It changes whenever the policy plans anything else: then put in the value that the
     * failure shows, on the oldest JDK, and see that it is the same on the newest.
     */
    private static final String PLANS = "379f3d3d487d9d37a73b31af564d9b1996d80e09725e8c726e92599391c85c81";

    /** The same by time, with and without slots that may be idle. */
    private static final String PLANS_BY_TIME = "3daf86e53036e34cdbdc2b54d1c7b510e316963b3c6eab78be716a9f2cd64840";

    private static final int SMALL = 300;
    private static final Policy POLICY = Policy.named("plimsoll");

    /** Requests of one layer each or more; each is planned from the placement that the one before it led to. */
    private static List<PlanRequest> corpus() {
        List<PlanRequest> corpus = new ArrayList<>();
        for (long seed = 0; seed < SMALL; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            corpus.add(given.request(given.windows().size() - 1, given.start()));
        }
        corpus.addAll(large(1, 256, Topology.even(32, 4, 9), 4));
        corpus.addAll(large(2, 256, Topology.even(64, 8, 5), 2));
        corpus.addAll(large(3, 128, Topology.even(16, 2, 10), 4));
        corpus.addAll(large(4, 32, Topology.even(8, 1, 5), 8));
        return corpus;
    }

    /** The corpus by time: from a few tokens per step to many. */
    private static List<PlanRequest> byTime() {
        List<ExpectedTime> times =
                List.of(new ExpectedTime(RandomTimes.ROOFLINE), new ExpectedTime(RandomTimes.COMPUTING));
        List<PlanRequest> byTime = new ArrayList<>();
        for (PlanRequest request : corpus()) {
            long steps = 1L << byTime.size() % 14;
            byTime.add(new PlanRequest(
                    request.windows().stream().map(window -> window.over(steps)).toList(),
                    request.settled(),
                    request.shape(),
                    request.topology(),
                    request.budget(),
                    request.prices(),
                    new Objective.Time(times.get(byTime.size() % 5 / 3)),
                    byTime.size() % 3 > 0,
                    request.seed()));
        }
        return byTime;
    }

    /** A skewed load that drifts, in windows of noisy sub-samples: from the initial placement, and again two windows later. */
    private static List<PlanRequest> large(long seed, int experts, Topology topology, int layers) {
        Random random = new Random(seed);
        ModelShape shape = ModelShape.of("large", experts, 1, 0, layers);
        long[][] base = new long[layers][experts];
        for (long[] layer : base) {
            for (int expert = 0; expert < experts; expert++) {
                layer[expert] = 20_000 / (1 + random.nextInt(experts)) + 50;
            }
        }
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < 6; window++) {
            long[][][] tokens = new long[layers][8][experts];
            for (int layer = 0; layer < layers; layer++) {
                for (int expert = 0; expert < experts; expert++) {
                    long load = base[layer][expert] = base[layer][expert] * (90 + random.nextInt(25)) / 100 + 1;
                    for (long[] sample : tokens[layer]) {
                        sample[expert] = load + random.nextInt((int) load / 3 + 1);
                    }
                }
            }
            windows.add(ExpertLoad.ofSamples(window, tokens));
        }
        PlanRequest first = PlanRequest.of(windows.subList(0, 4), Placement.initial(shape, topology), shape, topology);
        Placement settled = POLICY.plan(first).target().withVersion(1);
        return List.of(first, PlanRequest.of(windows, settled, shape, topology));
    }

    private static String digest(List<Plan> plans) throws NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (Plan plan : plans) {
            ByteBuffer bytes = ByteBuffer.allocate(
                    4 * plan.target().layers() * plan.target().slots());
            for (int[] layer : plan.target().toArray()) {
                for (int expert : layer) {
                    bytes.putInt(expert);
                }
            }
            digest.update(bytes.array());
            for (int layer = 0; layer < plan.target().layers(); layer++) {
                digest.update(plan.target().idle(layer).toByteArray());
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Test
    void plansHaveTheBytesThatTheyHaveOnAnyJvm() throws NoSuchAlgorithmException {
        assertThat(digest(corpus().stream().map(POLICY::plan).toList())).isEqualTo(PLANS);
    }

    @Test
    void plansByTimeHaveTheBytesThatTheyHaveOnAnyJvm() throws NoSuchAlgorithmException {
        assertThat(digest(byTime().stream().map(POLICY::plan).toList())).isEqualTo(PLANS_BY_TIME);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8})
    void plansAreTheSameWhenThreadsShareTheLayers(int threads) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<PlanRequest> corpus = new ArrayList<>(corpus());
            corpus.addAll(byTime());
            List<List<Future<LayerPlan>>> running = new ArrayList<>();
            for (PlanRequest request : corpus) {
                List<Callable<LayerPlan>> layers = IntStream.range(
                                0, request.shape().layers())
                        .mapToObj(layer -> (Callable<LayerPlan>) () -> POLICY.plan(request, layer))
                        .toList();
                running.add(layers.stream().map(pool::submit).toList());
            }
            List<Plan> plans = new ArrayList<>();
            for (int i = 0; i < corpus.size(); i++) {
                List<LayerPlan> layers = new ArrayList<>();
                for (Future<LayerPlan> layer : running.get(i)) {
                    layers.add(layer.get());
                }
                plans.add(Plan.of(corpus.get(i), layers));
            }

            assertThat(plans).isEqualTo(corpus.stream().map(POLICY::plan).toList());
        } finally {
            pool.shutdownNow();
        }
    }
}
