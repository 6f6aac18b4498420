package dev.plimsoll.app.watch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.WindowSummary;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class LoopReportTest {
    private static final int WINDOW_STEPS = 100;
    private static final Deployment DEPLOYMENT = new Deployment("test/decode-0");

    private final LoopReport report = new LoopReport(WINDOW_STEPS, 10);

    @Test
    void settledWindowsAreThoseThatBeganOneWindowAfterTheLastFlip() {
        report.window(window(0, 0.5, CloseReason.COMPLETE), 1_000);
        report.command(propose(1, 0, 0.95), 2_000);
        report.ack(flipped(1, 150));
        report.command(new PlanCommand.Settled(header(), 1, 1, true, 7), 2_500);

        report.window(window(1, 0.6, CloseReason.COMPLETE), 3_000);
        report.window(window(2, 0.7, CloseReason.COMPLETE), 3_000);
        report.window(window(3, 0.90, CloseReason.COMPLETE), 3_000);
        report.window(window(4, 0.94, CloseReason.COMPLETE), 3_000);

        LoopReport.Settled settled = report.settled().orElseThrow();
        assertThat(settled.windows())
                .as("windows 3 and 4: window 2 began only 50 steps after the flip")
                .isEqualTo(2);
        assertThat(settled.mean()).isCloseTo(0.92, within(1e-9));
        assertThat(settled.min()).as("worst layers, 0.85 and 0.89").isCloseTo(0.87, within(1e-9));
        assertThat(settled.predicted()).isCloseTo(0.95, within(1e-9));
        assertThat(report.initial().orElseThrow().mean()).isEqualTo(0.5);
    }

    @Test
    void partialWindowsAreCountedAndNeverAveraged() {
        report.command(propose(1, 0, 0.95), 0);
        report.ack(flipped(1, 10));
        report.command(new PlanCommand.Settled(header(), 1, 1, true, 7), 0);

        report.window(window(5, 0.1, CloseReason.GAP), 0);

        assertThat(report.partialWindows()).isEqualTo(1);
        assertThat(report.settled()).isEmpty();
        assertThat(report.initial()).isEmpty();
    }

    @Test
    void aDecisionThatWasOnlyProposedMovesNothing() {
        report.command(propose(1, 0, 0.95), 0);
        report.command(new PlanCommand.Abort(header(), 1, "no progress"), 10);

        assertThat(report.moves()).isZero();
        assertThat(report.placementVersion()).isZero();
        assertThat(report.abortedDecisions()).isEqualTo(1);
        assertThat(report.proposed()).isEqualTo(1);
    }

    @Test
    void aProposalReadBeforeItsWindowStillHasItsLatency() {
        report.command(propose(1, 0, 0.95), 5_040);
        report.window(window(0, 0.5, CloseReason.COMPLETE), 5_100);

        assertThat(report.windowToProposal().getTotalCount()).isEqualTo(1);
        assertThat(report.windowToProposal().getMaxValue()).isEqualTo(40);
    }

    @Test
    void stepTimesAreThoseOfSettledWindowsBesideWhatWasPromised() {
        report.window(timed(0, 0.5, 50_000), 0);
        report.command(propose(1, 0, 0.95, 42_000), 0);
        report.ack(flipped(1, 150));
        report.command(new PlanCommand.Settled(header(), 1, 1, true, 7), 0);
        report.window(timed(1, 0.6, 48_000), 0);
        report.window(timed(3, 0.9, 41_000), 0);
        report.window(window(4, 0.9, CloseReason.COMPLETE), 0);
        report.window(timed(5, 0.9, 43_000), 0);

        LoopReport.StepTimes times = report.stepTimes();

        assertThat(times.initialMicros()).hasValue(50_000);
        assertThat(times.windows()).as("windows 3 and 5: nobody timed window 4").isEqualTo(2);
        assertThat(times.settledMicros()).hasValue(42_000);
        assertThat(times.promisedMicros()).hasValue(42_000);
        assertThat(times.mean(DecisionTime::gain))
                .as("no decision was measured")
                .isEmpty();
    }

    @Test
    void ofADecisionTheNewestOutcomeCountsAndIsComparedOnTheSameTokens() {
        report.outcome(outcome(1, 1_000, 700, 1_000));
        report.outcome(outcome(1, 900, 800, 1_000));

        LoopReport.StepTimes times = report.stepTimes();

        // The promise has half a microsecond of step for each of experts: 1000 - 800 by the profile are 100 of the
        // step.
        assertThat(times.decisions()).containsExactly(new DecisionTime(1_500, 1_450, 900, 1_000));
        assertThat(times.mean(DecisionTime::gain).orElseThrow()).isCloseTo(0.1, within(1e-12));
        assertThat(times.mean(DecisionTime::promisedGain).orElseThrow()).isCloseTo(1 / 30.0, within(1e-12));
    }

    @Test
    void whatNobodyTimedHasNoStepTimes() {
        report.window(window(0, 0.5, CloseReason.COMPLETE), 0);

        assertThat(report.stepTimes())
                .isEqualTo(new LoopReport.StepTimes(
                        OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(), 0, List.of()));
    }

    @Test
    void decisionsAreToldInMillisecondsFirst() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LiveView view = new LiveView(new PrintStream(out, true, UTF_8), false, false, 400);
        view.command(propose(3, 0, 0.95, 36_800));
        view.outcome(outcome(3, 36_900, 20_000, 28_600));

        assertThat(out.toString(UTF_8).lines())
                .satisfiesExactly(
                        proposed -> assertThat(proposed)
                                .startsWith("proposed  #3   step 60.0 → 36.8 ms promised (−38.7 %); 1 move in 1 layer,"
                                        + " 1 batch: balancedness 0.500 → predicted 0.950; because"),
                        measured -> assertThat(measured)
                                .startsWith(
                                        "measured  #3   step 1.50 → 1.45 ms promised, 36.9 measured, 41.2 without it"
                                                + " (−10.4 %), gain 30.1 % over 2 windows; balancedness 0.500 → predicted 0.900"));
    }

    @Test
    void thePromiseOfAProposalIsToldOnce() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LiveView view = new LiveView(new PrintStream(out, true, UTF_8), false, false, 400);
        StepPromise promise = new StepPromise(40_000, 20_000, 60_000, 36_800, true);

        // As a gate that knows a device profile writes its reason.
        view.command(propose(3, 0, 0.95, promise, promise.summary() + ", gain 40.1 %, held out 38.7 %, saves 1.2 s"));

        assertThat(out.toString(UTF_8))
                .containsOnlyOnce(" → 36.8")
                .contains(" ms promised (−38.7 %), the rest of a step assumed; 1 move in 1 layer")
                .endsWith("predicted 0.950; gain 40.1 %" + System.lineSeparator());
    }

    @Test
    void threeDigitsOfAMillisecondAreTold() {
        assertThat(List.of(Millis.of(847), Millis.of(2_411), Millis.of(41_349), Millis.of(1_234_500), Millis.of(9_996)))
                .containsExactly("0.847", "2.41", "41.3", "1,235", "10.0");
    }

    /** Of a decision that promised a step of 1,450 µs in place of 1,500, half of a microsecond for each of its experts. */
    private static Outcome outcome(int version, double stepMicros, double with, double without) {
        return new Outcome(
                DEPLOYMENT,
                1,
                version,
                3,
                10,
                0.5,
                0.9,
                new Balance(0.88, 0.8, 0, 1),
                OptionalDouble.empty(),
                Optional.of(new StepPromise(1_000, 900, 1_500, 1_450, false)),
                Optional.of(new MeasuredGain(
                        2,
                        3,
                        4,
                        true,
                        (without - with) / without,
                        0,
                        2,
                        false,
                        0.88,
                        0.5,
                        OptionalDouble.of(with),
                        OptionalDouble.of(without),
                        OptionalDouble.of(stepMicros))));
    }

    private static PlanHeader header() {
        return new PlanHeader(DEPLOYMENT, 1, 1, 1);
    }

    private static PlanCommand.Propose propose(int epoch, long window, double predicted) {
        Move move = new Move(new LayerId(0), new SlotId(0), new ExpertId(1), new SlotId(1));
        return new PlanCommand.Propose(
                header(),
                epoch,
                epoch - 1,
                7,
                List.of(new Batch(1, List.of(move))),
                window,
                0.5,
                predicted,
                "plimsoll",
                "because");
    }

    private static PlanCommand.Propose propose(int epoch, long window, double predicted, double promisedMicros) {
        return propose(
                epoch, window, predicted, new StepPromise(40_000, 20_000, 60_000, promisedMicros, false), "because");
    }

    private static PlanCommand.Propose propose(
            int epoch, long window, double predicted, StepPromise promise, String reason) {
        PlanCommand.Propose untimed = propose(epoch, window, predicted);
        return new PlanCommand.Propose(
                untimed.header(),
                untimed.epoch(),
                untimed.basedOn(),
                untimed.planHash(),
                untimed.batches(),
                untimed.windowIndex(),
                untimed.currentBalancedness(),
                untimed.predictedBalancedness(),
                untimed.policy(),
                reason,
                untimed.reasons(),
                untimed.inputs(),
                Optional.of(promise));
    }

    private static RankAck flipped(int epoch, long step) {
        return new RankAck(DEPLOYMENT, 1, new RankId(0), epoch, RankAck.Kind.FLIPPED, 1, Optional.empty(), 7, step);
    }

    /** A complete window of so long steps, 10 of them from boundary to boundary. */
    static WindowSummary timed(long index, double mean, long stepMicros) {
        return window(
                index,
                mean,
                CloseReason.COMPLETE,
                Optional.of(new StepTime(
                        LongVector.of(stepMicros * 10_000 * 10), LongVector.of(0), 10, stepMicros * 10_000)));
    }

    static WindowSummary window(long index, double mean, CloseReason reason) {
        return window(index, mean, reason, Optional.empty());
    }

    private static WindowSummary window(long index, double mean, CloseReason reason, Optional<StepTime> time) {
        int expected = 4;
        return new WindowSummary(
                DEPLOYMENT,
                1,
                Phase.DECODE,
                index,
                index - 1,
                new StepRange(index * WINDOW_STEPS, (index + 1) * WINDOW_STEPS),
                reason,
                expected,
                LongVector.of(reason == CloseReason.COMPLETE ? expected : expected - 1),
                new Balance(mean, mean - 0.05, 0, 1),
                List.of(PlacementState.settled(0)),
                1_000,
                Conservation.YES,
                8_000,
                0,
                0,
                0,
                0,
                0,
                0,
                index * 10,
                5_000,
                "",
                time);
    }
}
