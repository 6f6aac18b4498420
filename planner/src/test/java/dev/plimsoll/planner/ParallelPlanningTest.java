package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParallelPlanningTest {
    private static final ModelShape SHAPE = ModelShape.of("small", 16, 2, 0, 12);
    private static final Topology TOPOLOGY = Topology.even(4, 2, 5);

    private static PlanRequest request(long seed) {
        Random random = new Random(seed);
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < 5; window++) {
            long[][][] samples = new long[SHAPE.layers()][4][SHAPE.experts()];
            for (long[][] layer : samples) {
                for (long[] sample : layer) {
                    for (int expert = 0; expert < sample.length; expert++) {
                        sample[expert] = random.nextInt(expert % 3 == 0 ? 900 : 90);
                    }
                }
            }
            windows.add(ExpertLoad.ofSamples(window, samples));
        }
        return PlanRequest.of(windows, Placement.initial(SHAPE, TOPOLOGY), SHAPE, TOPOLOGY);
    }

    private static Policy policy(IntFunction<LayerPlan> layers) {
        return new Policy() {
            @Override
            public String name() {
                return "fake";
            }

            @Override
            public LayerPlan plan(PlanRequest request, int layer) {
                return layers.apply(layer);
            }
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8})
    void planIsTheSameOnAnyNumberOfThreads(int threads) {
        for (String name : Policy.NAMES) {
            Policy policy = Policy.named(name);
            try (ParallelPlanning planning = new ParallelPlanning(policy, threads)) {
                for (long seed = 0; seed < 5; seed++) {
                    Plan expected = policy.plan(request(seed));
                    Plan found = planning.plan(request(seed));

                    assertThat(found.target().toArray())
                            .as("%s, seed %d", name, seed)
                            .isDeepEqualTo(expected.target().toArray());
                    assertThat(found.layers()).isEqualTo(expected.layers());
                }
            }
        }
    }

    @Test
    void layersArePlannedOnDaemonsOfTheRoleAndNotOnTheThreadThatAsks() {
        Set<String> names = ConcurrentHashMap.newKeySet();
        CountDownLatch both = new CountDownLatch(2);
        PlanRequest request = request(1);
        try (ParallelPlanning planning = new ParallelPlanning(
                policy(layer -> {
                    names.add(Thread.currentThread().getName()
                            + (Thread.currentThread().isDaemon() ? "" : " keeps the process alive"));
                    // Nobody goes on before the other thread is there.
                    both.countDown();
                    await(both);
                    return Policy.named("static").plan(request, layer);
                }),
                2)) {
            planning.plan(request);
        }

        assertThat(names).containsExactlyInAnyOrder("planner-layers-1", "planner-layers-2");
    }

    @Test
    void interruptEndsTheWaitAndThreadsThatComeBackPlanAgain() throws Exception {
        CountDownLatch begun = new CountDownLatch(2);
        CountDownLatch gate = new CountDownLatch(1);
        PlanRequest request = request(2);
        try (ParallelPlanning planning = new ParallelPlanning(
                policy(layer -> {
                    begun.countDown();
                    awaitWhateverHappens(gate);
                    return Policy.named("static").plan(request, layer);
                }),
                2)) {
            FutureTask<Plan> asking = new FutureTask<>(() -> planning.plan(request));
            Thread asker = new Thread(asking, "asker");
            asker.start();
            await(begun);
            asker.interrupt();
            assertThatThrownBy(asking::get)
                    .hasCauseInstanceOf(ParallelPlanning.Interrupted.class)
                    .hasMessageContaining("interrupted while policy fake planned 12 layers");

            gate.countDown();

            assertThat(planning.plan(request).target()).isEqualTo(request.settled());
        }
    }

    @Test
    void whatThePolicyThrowsIsThrown() {
        try (ParallelPlanning planning = new ParallelPlanning(
                policy(layer -> {
                    throw new IllegalStateException("broken on purpose in layer " + layer);
                }),
                2)) {
            assertThatThrownBy(() -> planning.plan(request(3)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("broken on purpose in layer 0");
        }
    }

    @Test
    void nothingIsPlannedAfterTheEnd() {
        ParallelPlanning planning = new ParallelPlanning(Policy.named("static"), 2);
        planning.close();

        assertThatThrownBy(() -> planning.plan(request(4))).isInstanceOf(RejectedExecutionException.class);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As a policy that computes and never looks whether it is interrupted. */
    private static void awaitWhateverHappens(CountDownLatch latch) {
        boolean interrupted = true;
        while (interrupted) {
            try {
                latch.await();
                interrupted = false;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
    }
}
