package dev.plimsoll.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.simulator.EngineListener;
import org.junit.jupiter.api.Test;

/** Boundaries every 2 steps, of one rank. Hooks come first, then the end of the step that they stand behind. */
class BoundaryTimesTest {
    private final BoundaryTimes times = new BoundaryTimes(2);
    private final EngineListener engine = times.steps();
    private long step;

    private void steps(long first, Runnable hook, long boundary, long last) {
        engine.stepped(++step, first);
        step++;
        hook.run();
        engine.boundaryDone(step, boundary);
        engine.stepped(step, last);
    }

    private void start() {
        times.onTransfersStarted(1, 1, step);
    }

    private void flip() {
        times.onFlipped(1, 1, step);
    }

    private static void nothing() {}

    @Test
    void stepsDuringTransfersAreComparedWithTheLastOnesBefore() {
        steps(100, BoundaryTimesTest::nothing, 5, 100);
        steps(200, this::start, 5, 100);
        steps(203, BoundaryTimesTest::nothing, 5, 100);
        steps(204, this::flip, 9, 100);
        steps(900, BoundaryTimesTest::nothing, 5, 100);
        assertThat(times.transfers().count()).isEqualTo(2);
        assertThat(times.transfers().base()).isEqualTo(200);
        assertThat(times.transfers().low()).isEqualTo(3);
        assertThat(times.transfers().high()).isEqualTo(4);
        assertThat(times.stepNanos()).isEqualTo(200);
    }

    @Test
    void aFlipCostsItsHookAndWhatRunsBehindTheStep() {
        steps(100, BoundaryTimesTest::nothing, 5, 100);
        steps(100, this::start, 50, 120);
        steps(100, this::flip, 9, 107);
        assertThat(times.flipping().count()).isEqualTo(1);
        assertThat(times.flipping().base()).isEqualTo(105);
        assertThat(times.flipping().more()).isEqualTo(11);
        assertThat(times.flips().getTotalCount()).isEqualTo(1);
        assertThat(times.idle().getTotalCount()).isEqualTo(2);
    }

    @Test
    void transfersThatFailedAreNotUnderWay() {
        steps(100, BoundaryTimesTest::nothing, 5, 100);
        steps(100, this::start, 5, 100);
        steps(130, () -> times.onTransferFailed(1, 1, "gone"), 5, 100);
        steps(100, BoundaryTimesTest::nothing, 5, 100);
        assertThat(times.transfers().count()).isEqualTo(1);
        assertThat(times.flipping().count()).isZero();
    }
}
