package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.score.time.TraceWindows.Cut;
import dev.plimsoll.replay.score.time.TraceWindows.Window;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TraceWindowsTest {
    @Test
    void aWindowCountsTheTokensOfItsStepsOnceForEachPickAndKnowsHowManyStepsThereWere() {
        TokenTrace trace = MadeUpTraces.of(new Random(3), 3, 8, 2, 20);

        TraceWindows windows = TraceWindows.of(trace, 5, new Cut(3, 32));

        assertThat(windows.windows()).hasSize(3);
        ContinuousBatch again = new ContinuousBatch(trace.requests(), 5);
        for (Window window : windows.windows()) {
            ExpertLoad load = window.load();
            assertThat(load.steps()).isEqualTo(32);
            assertThat(load.samples()).isEqualTo(16);
            long[][][] counted = new long[3][16][8];
            for (int step = 0; step < 32; step++) {
                assertThat(window.steps().get(step)).containsExactly(again.step());
                for (int token : window.steps().get(step)) {
                    for (int layer = 0; layer < 3; layer++) {
                        counted[layer][step / 2][trace.expert(token, layer, 0)]++;
                        counted[layer][step / 2][trace.expert(token, layer, 1)]++;
                    }
                }
            }
            for (int layer = 0; layer < 3; layer++) {
                for (int sample = 0; sample < 16; sample++) {
                    for (int expert = 0; expert < 8; expert++) {
                        assertThat(load.at(layer, sample, expert)).isEqualTo(counted[layer][sample][expert]);
                    }
                }
            }
        }
        assertThat(windows.windows().get(2).load().windowIndex()).isEqualTo(2);
    }

    @Test
    void stepsThatCannotBeDividedEvenlyAreOneSubSample() {
        assertThat(TraceWindows.of(MadeUpTraces.numbered(3), 1, new Cut(2, 24))
                        .windows()
                        .get(0)
                        .load()
                        .samples())
                .isEqualTo(1);
    }

    @Test
    void oneWindowIsTooFew() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Cut(1, 8))
                .withMessageContaining("at least 2 windows");
    }
}
