package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The loop in a simulated cluster where everything goes wrong that can: see {@link SimRun} for what happens, {@link SimFault} for what
 * goes wrong, {@link SimChecks} for what has to hold. CONTRIBUTING.md says how to run it for longer.
 */
final class LoopSimulationTest {
    private static final int SEEDS = 10_000;

    private final int[] happened = new int[SimFault.values().length];
    private long seeds;
    private long steps;

    @Test
    void everythingIsAnsweredOnceAndInOrderWhateverGoesWrong() {
        String time = System.getProperty("plimsoll.simulation");
        String only = System.getProperty("plimsoll.simulation.seed");
        long begin = System.nanoTime();
        SimQuiet.during(() -> {
            if (only != null) {
                run(Long.parseLong(only), true).trace().forEach(System.out::println);
            } else if (time != null) {
                // Seeds that no build has seen.
                long longest = Duration.parse(time).toNanos();
                while (System.nanoTime() - begin < longest) {
                    run(begin + seeds, false);
                }
            } else {
                while (seeds < SEEDS) {
                    run(seeds, false);
                }
            }
        });
        double seconds = (System.nanoTime() - begin) / 1e9;
        System.out.printf(
                "simulated %d seeds in %.1f s: %.0f seeds/s, %.0f calls and decisions/s%n",
                seeds, seconds, seeds / seconds, steps / seconds);
        Map<SimFault, Integer> counts = new TreeMap<>();
        for (SimFault fault : SimFault.values()) {
            counts.put(fault, happened[fault.ordinal()]);
        }
        System.out.println(counts);
        if (only == null) {
            assertThat(counts)
                    .allSatisfy((fault, count) ->
                            assertThat(count).as("how often " + fault).isPositive());
        }
    }

    private SimRun.Result run(long seed, boolean tracing) {
        SimRun.Result result = SimRun.of(seed, tracing);
        if (!result.violations().isEmpty()) {
            throw new AssertionError(describe(seed, result.violations()));
        }
        seeds++;
        steps += result.steps();
        for (int i = 0; i < happened.length; i++) {
            happened[i] += result.happened()[i];
        }
        return result;
    }

    /** Once more, to tell what happened. */
    private static String describe(long seed, List<String> violations) {
        SimRun.Result again = SimRun.of(seed, true);
        return "seed " + seed + ": " + violations.get(0) + "\nrun it alone with -Dtest=LoopSimulationTest"
                + " -Dplimsoll.simulation.seed=" + seed + "\n"
                + (again.violations().equals(violations) ? "" : "NOT THE SAME AGAIN: " + again.violations() + "\n")
                + String.join("\n", again.trace());
    }

    @Test
    void theSameSeedGivesTheSameTrace() {
        assumeTrue(System.getProperty("plimsoll.simulation.seed") == null);
        SimQuiet.during(() -> {
            for (long seed = 0; seed < 100; seed++) {
                SimRun.Result once = SimRun.of(seed, true);
                SimRun.Result again = SimRun.of(seed, true);
                assertThat(once.trace()).isNotEmpty();
                assertThat(again.trace()).isEqualTo(once.trace());
                assertThat(again.hash())
                        .isEqualTo(once.hash())
                        .isEqualTo(SimRun.of(seed, false).hash());
            }
            assertThat(SimRun.of(1, true).trace())
                    .isNotEqualTo(SimRun.of(2, true).trace());
        });
    }
}
