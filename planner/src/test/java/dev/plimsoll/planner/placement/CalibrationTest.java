package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.StepTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CalibrationTest {
    private static final double SCALE = 1.3;
    private static final double OTHER = 900;
    private static final double SHARE = 0.5;
    /** Boundary intervals of a window, and steps of each. */
    private static final int BOUNDARIES = 16;

    private static final int STEPS = 16;
    /** Expert time before the first flip, after it and after the second, as they come of a first plan and a later one. */
    private static final double[] EXPERTS = {1000, 740, 700};

    private static TimedWindow window(int version, double tokens, double experts, double step) {
        return new TimedWindow(version, tokens, experts, step, step, 1);
    }

    /** The flip that a window is after, where two flips share so many windows. */
    private static int version(int window, int windows) {
        return window < windows / 5 ? 0 : window < windows * 3 / 5 ? 1 : 2;
    }

    /**
     * Windows with two flips between them, whose traffic drifts by 2 %.
     *
     * @param noise standard deviation of a step's time, relative to it
     */
    private static List<TimedWindow> windows(int count, double noise, Random random) {
        List<TimedWindow> windows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int version = version(i, count);
            double experts = EXPERTS[version] * (1 + 0.02 * (random.nextDouble() - 0.5));
            windows.add(timed(version, 512, experts, OTHER + SCALE * experts, noise, random));
        }
        return windows;
    }

    private static TimedWindow timed(
            int version, double tokens, double experts, double step, double noise, Random random) {
        double[] boundary = new double[BOUNDARIES];
        double sum = 0;
        for (int i = 0; i < BOUNDARIES; i++) {
            for (int s = 0; s < STEPS; s++) {
                boundary[i] += step * (1 + noise * random.nextGaussian()) / STEPS;
            }
            sum += boundary[i] / BOUNDARIES;
        }
        Arrays.sort(boundary);
        return new TimedWindow(version, tokens, experts, sum, boundary[BOUNDARIES / 10], 1);
    }

    @Test
    void whileAssumedTheRestOfAStepIsWhatWindowsTookBesideTheirOwnExperts() {
        // given two windows before a flip and one after it: too few to know the scale
        List<TimedWindow> windows =
                List.of(window(0, 512, 3690, 4410), window(0, 512, 3680, 4400), window(1, 512, 2420, 3140));

        StepCalibration found = Calibration.of(windows, SHARE);

        assertThat(found.assumed()).isTrue();
        assertThat(found.scale()).isEqualTo(1);
        assertThat(found.otherMicros()).isCloseTo(720, within(1e-9));
        assertThat(found.stepMicros(2420)).isCloseTo(3140, within(1e-9));
    }

    @Test
    void knownConstantsAreRecoveredAfterThirtyWindowsWithTwoFlips() {
        for (long seed = 0; seed < 200; seed++) {
            StepCalibration found = Calibration.of(windows(30, 0, new Random(seed)), SHARE);

            assertThat(found.assumed()).as("seed %d", seed).isFalse();
            assertThat(found.scale()).as("seed %d", seed).isCloseTo(SCALE, within(1e-9));
            assertThat(found.otherMicros()).as("seed %d", seed).isCloseTo(OTHER, within(1e-6));
            assertThat(found.windows()).isEqualTo(30);
            assertThat(found.flips()).isEqualTo(2);
            assertThat(found.leastExpertMicros()).isBetween(690.0, 710.0);
            assertThat(found.mostExpertMicros()).isBetween(990.0, 1010.0);
            assertThat(found.share(700)).isCloseTo(1.3 * 700 / (900 + 1.3 * 700), within(1e-9));
        }
    }

    @Test
    void noiseOfFivePercentInEveryStepLeavesConstantsWithinTenAndTheIntervalHoldsThem() {
        int inside = 0;
        double worst = 0;
        for (long seed = 0; seed < 400; seed++) {
            StepCalibration found = Calibration.of(windows(30, 0.05, new Random(seed)), SHARE);

            assertThat(found.assumed()).as("seed %d", seed).isFalse();
            assertThat(found.scale()).as("seed %d", seed).isCloseTo(SCALE, within(0.1 * SCALE));
            assertThat(found.otherMicros()).as("seed %d", seed).isCloseTo(OTHER, within(0.1 * OTHER));
            worst = Math.max(worst, Math.abs(found.scale() / SCALE - 1));
            inside += found.scaleLow() <= SCALE && SCALE <= found.scaleHigh() ? 1 : 0;
        }
        assertThat(worst).isGreaterThan(0.01);
        assertThat(inside).isGreaterThan(390);
    }

    @Test
    void noiseOfFivePercentInEveryWindowIsSaidByTheIntervalOrNothingIs() {
        int inside = 0;
        int assumed = 0;
        double half = 0;
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            List<TimedWindow> windows = new ArrayList<>();
            for (TimedWindow exact : windows(30, 0, random)) {
                double step = exact.stepMicros() * (1 + 0.05 * random.nextGaussian());
                windows.add(window(exact.version(), 512, exact.expertMicros(), step));
            }
            StepCalibration found = Calibration.of(windows, SHARE);
            assumed += found.assumed() ? 1 : 0;
            inside += found.assumed() || found.scaleLow() <= SCALE && SCALE <= found.scaleHigh() ? 1 : 0;
            half += (found.scaleHigh() - found.scale()) / found.scale();
        }
        assertThat(assumed).isBetween(100, 300);
        assertThat(inside).isGreaterThan(370);
        assertThat(half / (400 - assumed)).isBetween(0.15, 0.25);
    }

    @Test
    void nothingVariedIsAssumedWithTheProfileAtItsWord() {
        for (double noise : new double[] {0, 0.05}) {
            for (long seed = 0; seed < 100; seed++) {
                Random random = new Random(seed);
                List<TimedWindow> windows = new ArrayList<>();
                for (int i = 0; i < 30; i++) {
                    windows.add(timed(0, 512, 1000 + random.nextDouble(), 2000, noise, random));
                }
                StepCalibration found = Calibration.of(windows, SHARE);

                assertThat(found.assumed()).as("seed %d", seed).isTrue();
                assertThat(found.scale()).as("seed %d", seed).isEqualTo(1);
                assertThat(found.stepMicros(1000)).as("seed %d", seed).isCloseTo(2000, within(20.0));
                assertThat(found.summary(1000)).contains("assumed").contains("30 windows");
            }
        }
    }

    @Test
    void profileThatLeavesNoRoomInAStepIsScaledToTheShareThatIsStated() {
        StepCalibration found = Calibration.of(List.of(window(0, 512, 3000, 2000)), SHARE);

        assertThat(found.assumed()).isTrue();
        assertThat(found.share(3000)).isEqualTo(SHARE);
        assertThat(found.stepMicros(3000)).isEqualTo(2000);
    }

    @Test
    void withoutStepTimesTheStatedShareIsAssumed() {
        StepCalibration found = Calibration.assumed(1000, 0.25);

        assertThat(found.assumed()).isTrue();
        assertThat(found.stepMicros(1000)).isEqualTo(4000);
        assertThat(found.share(1000)).isEqualTo(0.25);
        assertThat(found.summary(1000)).contains("nobody times steps");
    }

    @Test
    void windowsInWhichSomethingElseHappenedDoNotMoveTheScale() {
        for (long seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            List<TimedWindow> windows = windows(30, 0.01, random);
            for (int hit = 0; hit < 6; hit++) {
                int at = random.nextInt(30);
                TimedWindow calm = windows.get(at);
                windows.set(
                        at,
                        new TimedWindow(
                                calm.version(),
                                512,
                                calm.expertMicros(),
                                calm.stepMicros() * (1.5 + random.nextDouble()),
                                calm.undisturbedMicros(),
                                1));
            }
            StepCalibration found = Calibration.of(windows, SHARE);

            assertThat(found.assumed()).as("seed %d", seed).isFalse();
            assertThat(found.scale()).as("seed %d", seed).isCloseTo(SCALE, within(0.05 * SCALE));
        }
    }

    @Test
    void windowsThatStoodIdleWeighLess() {
        // Four windows that ran for a tenth of the time say twice the scale; three that always ran say it as it is,
        // twice.
        List<TimedWindow> windows = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            double experts = 1000 - 40 * i;
            windows.add(window(0, 512, experts, OTHER + SCALE * experts));
            windows.add(
                    new TimedWindow(0, 512, experts, OTHER + 3 * SCALE * experts, OTHER + 3 * SCALE * experts, 0.1));
            windows.add(
                    new TimedWindow(0, 512, experts, OTHER + 3 * SCALE * experts, OTHER + 3 * SCALE * experts, 0.1));
        }

        assertThat(Calibration.of(windows, SHARE).scale()).isCloseTo(SCALE, within(0.05 * SCALE));
    }

    @Test
    void whereDisturbancesHideTheMeanTheUndisturbedStepsAreBelieved() {
        for (long seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            List<TimedWindow> windows = new ArrayList<>();
            for (TimedWindow window : windows(30, 0.002, random)) {
                windows.add(new TimedWindow(
                        window.version(),
                        512,
                        window.expertMicros(),
                        window.stepMicros() * (1.3 + 0.4 * random.nextDouble()),
                        window.undisturbedMicros(),
                        1));
            }
            StepCalibration found = Calibration.of(windows, SHARE);

            assertThat(found.assumed()).as("seed %d", seed).isFalse();
            assertThat(found.scale()).as("seed %d", seed).isCloseTo(SCALE, within(0.05 * SCALE));
        }
    }

    @Test
    void windowsWithOtherTokensAreNotHeldAgainstEachOther() {
        // The rest of a step grows with its tokens: across batch sizes the slope would be that of both.
        List<TimedWindow> windows = new ArrayList<>();
        for (int i = 0; i < 15; i++) {
            double few = (i < 7 ? 500 : 400) + i % 3;
            double many = (i < 7 ? 1500 : 1200) + i % 3;
            windows.add(window(i < 7 ? 0 : 1, 64, few, OTHER + SCALE * few));
            windows.add(window(i < 7 ? 0 : 1, 1024, many, 8 * OTHER + SCALE * many));
        }
        StepCalibration found = Calibration.of(windows, SHARE);

        assertThat(found.assumed()).isFalse();
        assertThat(found.scale()).isCloseTo(SCALE, within(1e-9));
        // The newest window has many tokens.
        assertThat(found.otherMicros()).isCloseTo(8 * OTHER, within(1e-6));
    }

    @Test
    void expertTimesThatHardlyDifferTellOfTheModelsErrorsOnly() {
        List<TimedWindow> windows = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            windows.add(window(i % 2, 512, 1000 + 0.3 * i, 3000 + 5 * 0.3 * i));
        }

        assertThat(Calibration.of(windows, SHARE).assumed()).isTrue();
    }

    @Test
    void batchSizesThatNeverRepeatSayNothing() {
        List<TimedWindow> windows = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            double tokens = 64 * Math.pow(1.1, i);
            windows.add(window(0, tokens, 3 * tokens, 10 * tokens));
        }

        assertThat(Calibration.of(windows, SHARE).assumed()).isTrue();
    }

    @Test
    void fewWindowsAreNotBelieved() {
        List<TimedWindow> windows = windows(30, 0, new Random(1)).subList(3, 8);

        assertThat(Calibration.of(windows, SHARE).assumed()).isTrue();
    }

    @Test
    void stepsThatGetFasterAsExpertsTakeLongerAreNotBelieved() {
        List<TimedWindow> windows = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            windows.add(window(0, 512, 700 + 10 * i, 3000 - 10 * i));
        }

        assertThat(Calibration.of(windows, SHARE).assumed()).isTrue();
    }

    @Test
    void calmIsHowLittleWasIdleAndHowNearTheMeanIsToTheLowestDecile() {
        StepTime time = new StepTime(LongVector.of(900_000, 1_000_000), LongVector.of(0, 1_000_000), 10, 80_000);

        TimedWindow window = TimedWindow.of(3, 64, 5, time, 10);

        assertThat(window.stepMicros()).isEqualTo(10);
        assertThat(window.undisturbedMicros()).isEqualTo(8);
        assertThat(window.running()).isEqualTo(0.5);
        assertThat(window.calm()).isCloseTo(0.4, within(1e-12));
    }
}
