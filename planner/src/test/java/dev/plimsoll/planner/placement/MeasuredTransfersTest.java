package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.TransferCosts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MeasuredTransfersTest {
    private static final TransferCosts ASSUMED = new TransferCosts(10e9, 1e6, 0);
    private static final double RATE = 3e9;

    private static RankAck flipped(int rank, int epoch, int batch, long bytes, long transferNanos, long flipNanos) {
        return ack(rank, epoch, batch, Optional.of(new FlipCost(bytes, transferNanos, flipNanos)));
    }

    private static RankAck ack(int rank, int epoch, int batch, Optional<FlipCost> cost) {
        return new RankAck(
                new Deployment("demo/decode-0"),
                1,
                new RankId(rank),
                epoch,
                RankAck.Kind.FLIPPED,
                batch,
                Optional.empty(),
                0,
                16,
                cost,
                Optional.empty());
    }

    @Test
    void rateIsThatOfTheSlowestRankOfABatchAndOneHoldUpDoesNotCount() {
        for (long seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            List<RankAck> acks = new ArrayList<>();
            for (int batch = 1; batch <= 9; batch++) {
                long heldUp = batch == 4 ? 50 : 1;
                for (int rank = 0; rank < 8; rank++) {
                    long bytes = rank == 5 ? 600_000_000 : random.nextInt(600_000_000);
                    acks.add(flipped(
                            rank,
                            1,
                            batch,
                            bytes,
                            heldUp * Math.round(bytes * 1e9 / RATE),
                            heldUp * (rank + 1) * 100_000));
                }
            }
            Collections.shuffle(acks, random);

            TransferCosts found = MeasuredTransfers.of(acks, ASSUMED);

            assertThat(found.bytesPerSecond()).as("seed %d", seed).isCloseTo(RATE, within(1.0));
            assertThat(found.flipNanos()).as("seed %d", seed).isEqualTo(800_000);
            assertThat(found.batches()).isEqualTo(9);
            assertThat(found.assumed()).isFalse();
        }
    }

    @Test
    void tooFewBatchesAreNotBelieved() {
        List<RankAck> acks = new ArrayList<>();
        for (int rank = 0; rank < 8; rank++) {
            acks.add(flipped(rank, 1, 1, 1000, 1000, 5));
            acks.add(flipped(rank, 2, 1, 1000, 1000, 5));
        }

        assertThat(MeasuredTransfers.of(acks, ASSUMED)).isEqualTo(ASSUMED);
        assertThat(ASSUMED.summary()).isEqualTo("transfers 10.00 GB/s, a flip 1.000 ms: assumed");
        acks.add(flipped(0, 3, 1, 1000, 1000, 5));
        assertThat(MeasuredTransfers.of(acks, ASSUMED).assumed()).isFalse();
    }

    @Test
    void ranksThatSayNothingAndBatchesThatBroughtNothingTellNoRate() {
        List<RankAck> acks = List.of(
                ack(0, 1, 1, Optional.empty()),
                ack(0, 1, 2, Optional.empty()),
                ack(0, 1, 3, Optional.empty()),
                flipped(0, 2, 1, 0, 0, 5),
                flipped(0, 2, 2, 0, 0, 5),
                flipped(0, 2, 3, 0, 0, 5));

        assertThat(MeasuredTransfers.of(acks, ASSUMED)).isEqualTo(ASSUMED);
        assertThat(MeasuredTransfers.of(List.of(), ASSUMED)).isEqualTo(ASSUMED);
    }
}
