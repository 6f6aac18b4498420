package dev.plimsoll.app.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PaceWatchTest {
    private static final int TICK_MILLIS = 250;

    @Test
    void aPaceThatIsMissedForSecondsIsSaidOnceWithBothNumbersAndTheFirstWindow() {
        PaceWatch pace = new PaceWatch(200, 512);

        List<String> said = run(pace, 0, 8, 103);

        assertThat(said)
                .containsExactly(
                        "103 of 200 steps/s: this machine is too slow for more, the first window closes in about 2 s");
        assertThat(pace).hasToString("103 of 200 steps/s");
    }

    @Test
    void laterItSaysHowLongAWindowTakes() {
        PaceWatch pace = new PaceWatch(200, 512);

        assertThat(run(pace, 0, 5, 200)).isEmpty();

        assertThat(run(pace, 5, 15, 64))
                .singleElement()
                .asString()
                .contains("this machine is too slow for more, a window takes about ");
        assertThat(pace).hasToString("64 of 200 steps/s");
    }

    @Test
    void aPaceThatIsKeptOrMissedForAMomentIsNotNews() {
        PaceWatch kept = new PaceWatch(200, 512);
        assertThat(run(kept, 0, 30, 196)).isEmpty();

        PaceWatch hiccup = new PaceWatch(200, 512);
        assertThat(run(hiccup, 0, 10, 200)).isEmpty();
        assertThat(hiccup.at(Duration.ofMillis(10_250), 2_000)).isEmpty(); // a collection: no step in this tick
        assertThat(run(hiccup, 10.25, 20, 200)).isEmpty();
    }

    @Test
    void withoutAPaceThereIsNothingToMiss() {
        PaceWatch pace = new PaceWatch(0, 512);

        assertThat(run(pace, 0, 10, 31)).isEmpty();
        assertThat(pace).hasToString("31 steps/s");
        assertThat(pace.announcement()).isEqualTo("the first window closes after 512 steps");
    }

    @Test
    void ranksThatDoNotStepAtAllAreSaidToo() {
        PaceWatch pace = new PaceWatch(20, 64);

        assertThat(run(pace, 0, 10, 0)).containsExactly("0 of 20 steps/s: this machine is too slow for more");
        assertThat(pace.announcement()).isEqualTo("the first window closes after 64 steps, in 3.2 s at 20 steps/s");
    }

    /** Steps at a rate that began at {@code from} seconds; the first stretch of a test begins at 0. */
    private static List<String> run(PaceWatch pace, double from, double until, double stepsPerSecond) {
        List<String> said = new ArrayList<>();
        long steps = (long) (from * 200);
        for (int tick = 1; from + tick * TICK_MILLIS / 1e3 <= until; tick++) {
            double seconds = tick * TICK_MILLIS / 1e3;
            pace.at(Duration.ofMillis((long) ((from + seconds) * 1e3)), steps + (long) (seconds * stepsPerSecond))
                    .ifPresent(said::add);
        }
        return said;
    }
}
