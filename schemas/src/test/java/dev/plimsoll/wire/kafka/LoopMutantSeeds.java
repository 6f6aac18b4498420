package dev.plimsoll.wire.kafka;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The seeds that a wrong variant of the loop has to get past; run by {@link LoopMutantTest} on a copy of the package. */
final class LoopMutantSeeds {
    /** Those that show what few do. A change of the simulation makes others of them; the mutant that survives then says so. */
    private static final long[] RARE = {2170, 2307, 4709, 5358};

    private static final int MORE = 300;

    @Test
    void areAnswered() {
        SimQuiet.during(() -> LongStream.concat(LongStream.range(0, MORE), LongStream.of(RARE))
                .forEach(LoopMutantSeeds::isAnswered));
    }

    private static void isAnswered(long seed) {
        SimRun.Result result = SimRun.of(seed, false);
        if (!result.violations().isEmpty()) {
            throw new AssertionError("seed " + seed + ": " + result.violations().get(0));
        }
    }
}
