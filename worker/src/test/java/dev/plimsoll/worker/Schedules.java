package dev.plimsoll.worker;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Schedules of the seeds from 0 on, on all processors. Seeds are independent, and of those that fail the least is told: so what comes of
 * a run is a function of their number.
 */
final class Schedules {
    private static final int BLOCK = 500;
    private static final int TOLD = 100_000;

    private record Block(Seen seen, Optional<AssertionError> failure) {}

    private final int count;
    private final Planners kind;
    private final Block[] blocks;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger(Integer.MAX_VALUE);

    private Schedules(int count, Planners kind) {
        this.count = count;
        this.kind = kind;
        blocks = new Block[(count + BLOCK - 1) / BLOCK];
    }

    /** What they saw; throws an AssertionError that names the least seed that fails. */
    static Seen run(int count, Planners kind) {
        return new Schedules(count, kind).run();
    }

    private Seen run() {
        int processors = Runtime.getRuntime().availableProcessors();
        ExecutorService threads = Executors.newFixedThreadPool(processors);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < processors; i++) {
                running.add(threads.submit(this::runBlocks));
            }
            for (Future<?> thread : running) {
                thread.get();
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        } finally {
            threads.shutdownNow();
        }
        Seen seen = new Seen();
        for (int i = 0; i < blocks.length && i <= failed.get(); i++) {
            if (blocks[i].failure().isPresent()) {
                throw blocks[i].failure().orElseThrow();
            }
            seen.add(blocks[i].seen());
        }
        return seen;
    }

    /** Blocks are begun in the order of their seeds: all before one that fails have been begun, and are ended. */
    private void runBlocks() {
        RememberedMachine machine = new RememberedMachine();
        for (int i = next.getAndIncrement(); i < blocks.length && i <= failed.get(); i = next.getAndIncrement()) {
            int block = i;
            blocks[block] = run(block, machine);
            if (blocks[block].failure().isPresent()) {
                failed.accumulateAndGet(block, Math::min);
            }
            if ((block + 1) * BLOCK % TOLD == 0 && count > TOLD) {
                System.out.println((block + 1) * BLOCK + " of " + count + " schedules");
            }
        }
    }

    private Block run(int block, RememberedMachine machine) {
        Seen seen = new Seen();
        for (int seed = block * BLOCK; seed < Math.min(count, (block + 1) * BLOCK); seed++) {
            try {
                seen.add(DecisionSimulation.run(seed, machine, kind));
            } catch (AssertionError | RuntimeException e) {
                return new Block(
                        seen, Optional.of(new AssertionError("-Dplimsoll.seed=" + seed + ": " + e.getMessage(), e)));
            }
        }
        return new Block(seen, Optional.empty());
    }
}
