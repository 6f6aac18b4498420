package dev.plimsoll.planner;

import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A policy whose layers are planned side by side, on threads of its own.
 *
 * <p>The plan is {@link Policy#plan(PlanRequest)}'s, whatever the number of threads. Whoever asks waits, until it is interrupted. Threads
 * start with the first plan. A layer that is planned then is interrupted too; where the policy does not listen, its thread is free again
 * when it ends.
 */
final class ParallelPlanning implements AutoCloseable {
    /** Nobody waits for the plan any more. */
    static final class Interrupted extends RuntimeException {
        private static final long serialVersionUID = 1;

        Interrupted(String text) {
            super(text);
        }
    }

    private final Policy policy;
    private final ExecutorService threads;

    ParallelPlanning(Policy policy, int threads) {
        this.policy = policy;
        AtomicInteger number = new AtomicInteger();
        this.threads = Executors.newFixedThreadPool(threads, work -> {
            Thread thread = new Thread(work, "planner-layers-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    Policy policy() {
        return policy;
    }

    /**
     * The plan of all layers. What the policy throws is thrown here, for the first layer that failed.
     *
     * @throws Interrupted when the thread that asks is interrupted
     */
    Plan plan(PlanRequest request) {
        List<Callable<LayerPlan>> layers = new ArrayList<>();
        for (int i = 0; i < request.shape().layers(); i++) {
            int layer = i;
            layers.add(() -> policy.plan(request, layer));
        }
        try {
            List<LayerPlan> plans = new ArrayList<>();
            for (Future<LayerPlan> plan : threads.invokeAll(layers)) {
                plans.add(plan.get());
            }
            return Plan.of(request, plans);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Interrupted(
                    "interrupted while policy " + policy.name() + " planned " + layers.size() + " layers");
        }
    }

    /** Starts no more layers; does not wait for those that are planned. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
