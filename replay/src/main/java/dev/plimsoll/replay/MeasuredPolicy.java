package dev.plimsoll.replay;

import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.atomic.LongAdder;

/** A policy, and the processor time that its plans take. */
final class MeasuredPolicy implements Policy {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final Policy policy;
    private final LongAdder nanos = new LongAdder();

    MeasuredPolicy(Policy policy) {
        this.policy = policy;
    }

    @Override
    public String name() {
        return policy.name();
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        long began = now();
        try {
            return policy.plan(request, layer);
        } finally {
            nanos.add(now() - began);
        }
    }

    private static long now() {
        return THREADS.isCurrentThreadCpuTimeSupported() ? THREADS.getCurrentThreadCpuTime() : System.nanoTime();
    }

    double millis() {
        return nanos.sum() / 1e6;
    }
}
