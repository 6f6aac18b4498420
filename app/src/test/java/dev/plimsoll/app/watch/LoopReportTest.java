package dev.plimsoll.app.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.WindowSummary;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LoopReportTest {
    private static final int WINDOW_STEPS = 100;
    private static final Deployment DEPLOYMENT = new Deployment("test/decode-0");

    private final LoopReport report = new LoopReport(WINDOW_STEPS);

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

    private static RankAck flipped(int epoch, long step) {
        return new RankAck(DEPLOYMENT, 1, new RankId(0), epoch, RankAck.Kind.FLIPPED, 1, Optional.empty(), 7, step);
    }

    static WindowSummary window(long index, double mean, CloseReason reason) {
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
                true,
                8_000,
                0,
                0,
                0,
                0,
                0,
                0,
                index * 10,
                5_000,
                "");
    }
}
