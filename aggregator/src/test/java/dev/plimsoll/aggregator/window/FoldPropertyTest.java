package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** More logs: {@code -Dplimsoll.fold.logs=1000000}; one of them: {@code -Dplimsoll.fold.first=SEED -Dplimsoll.fold.logs=1}. */
class FoldPropertyTest {
    private static final long FIRST = Long.getLong("plimsoll.fold.first", 1);
    private static final long LOGS = Long.getLong("plimsoll.fold.logs", 20_000);

    @Test
    void anyLogGivesTheSameWindowsWithAnyCrashes() {
        for (long seed = FIRST; seed < FIRST + LOGS; seed++) {
            boolean thorough = LOGS == 1 || seed % 20 == 0;
            assertThat(FoldProperties.violation(seed, FoldVariant.RIGHT, thorough))
                    .isEmpty();
        }
    }
}
