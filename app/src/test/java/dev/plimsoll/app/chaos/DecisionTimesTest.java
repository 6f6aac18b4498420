package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.chaos.DecisionTimes.Until;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class DecisionTimesTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final long MILLI = 1_000_000;

    private final DecisionTimes times = new DecisionTimes();
    private long number;

    @Test
    void timesCountFromTheWindowThatWasDecidedOnToTheLastRanksWords() {
        times.window(1, 4, 100 * MILLI);
        times.window(1, 5, 200 * MILLI);
        times.command(propose(1), 230 * MILLI);
        ack(RankAck.Kind.ACCEPTED, 0, 240);
        ack(RankAck.Kind.ACCEPTED, 0, 250);
        ack(RankAck.Kind.FLIPPED, 1, 300);
        ack(RankAck.Kind.FLIPPED, 2, 400);
        ack(RankAck.Kind.FLIPPED, 2, 410);
        times.command(new PlanCommand.Settled(header(), 1, 2, true, 1), 420 * MILLI);

        assertThat(times.count()).isEqualTo(1);
        assertThat(times.quantile(Until.PROPOSE, 0.5)).hasValue(30);
        assertThat(times.quantile(Until.ACCEPTED, 0.5)).hasValue(50);
        assertThat(times.quantile(Until.FLIPPED, 0.5)).hasValue(210);
        assertThat(times.quantile(Until.SETTLED, 0.99)).hasValue(220);
    }

    @Test
    void whatEndsInPartOrVoidIsNotMeasured() {
        times.window(1, 5, 0);
        times.command(propose(1), 1);
        times.command(new PlanCommand.Void(header(), 1, "nothing flipped"), 2);
        times.command(propose(2), 3);
        times.command(new PlanCommand.Settled(header(), 2, 1, false, 1), 4);

        assertThat(times.count()).isZero();
        assertThat(times.quantile(Until.SETTLED, 0.5)).isEqualTo(OptionalLong.empty());
    }

    private PlanHeader header() {
        return new PlanHeader(DEPLOYMENT, 1, 1, ++number);
    }

    private PlanCommand.Propose propose(int epoch) {
        return new PlanCommand.Propose(header(), epoch, 0, 1, List.of(batch(1), batch(2)), 5, 0.5, 0.9, "test", "test");
    }

    private static Batch batch(int number) {
        Move move = new Move(new LayerId(number), new SlotId(0), new ExpertId(1), new SlotId(1));
        return new Batch(number, List.of(move), List.of());
    }

    private void ack(RankAck.Kind kind, int batch, long millis) {
        times.ack(new RankAck(DEPLOYMENT, 1, new RankId(0), 1, kind, batch, Optional.empty(), 1, 8), millis * MILLI);
    }
}
