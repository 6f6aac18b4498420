package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AckLedgerTest {
    private static final long MILLI = 1_000_000;

    private final AckLedger ledger = new AckLedger();

    @Test
    void ackIsSentOnceThoughItIsSeenAtManySteps() {
        assertThat(ledger.take(List.of(flipped(1, 16)), 0)).hasSize(1);
        assertThat(ledger.take(List.of(flipped(1, 32)), 0)).isEmpty();
        ledger.delivered(flipped(1, 16));

        assertThat(ledger.take(List.of(flipped(1, 48)), 0)).isEmpty();
        assertThat(ledger.take(List.of(flipped(1, 48), flipped(2, 48)), 0)).containsExactly(flipped(2, 48));
    }

    @Test
    void failedAckIsTriedAgainAfterGrowingPauses() {
        List<RankAck> holding = List.of(flipped(1, 16));
        ledger.take(holding, 0);
        ledger.failed(flipped(1, 16), 0);
        assertThat(ledger.take(holding, 99 * MILLI)).isEmpty();
        assertThat(ledger.take(holding, 101 * MILLI)).hasSize(1);
        ledger.failed(flipped(1, 16), 101 * MILLI);

        assertThat(ledger.take(holding, 300 * MILLI)).isEmpty();
        assertThat(ledger.take(holding, 302 * MILLI)).hasSize(1);
    }

    @Test
    void acksOfADecisionThatIsOverAreForgotten() {
        ledger.take(List.of(flipped(1, 16)), 0);
        ledger.delivered(flipped(1, 16));
        ledger.take(List.of(), 0);

        assertThat(ledger.take(List.of(flipped(1, 64)), 0)).hasSize(1);
    }

    private static RankAck flipped(int batch, long step) {
        return new RankAck(
                Fixture.DEPLOYMENT,
                Fixture.INCARNATION,
                new RankId(0),
                1,
                RankAck.Kind.FLIPPED,
                batch,
                Optional.empty(),
                9,
                step);
    }
}
