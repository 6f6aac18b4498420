package dev.plimsoll.planner.placement;

import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.TransferCosts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

/**
 * What moving weights takes, by what ranks say of batches that they have flipped.
 *
 * <p>All ranks wait for the slowest: a batch took as long as its longest transfer, for the bytes of the rank that received most, and its
 * flip as long as the longest. The middle batch counts, so that one that met with a hold-up does not. Pure.
 */
public final class MeasuredTransfers {
    /** Batches below which what was measured may be chance, or a first transfer that sets up connections. */
    private static final int LEAST_BATCHES = 3;

    private record Number(int epoch, int batch) {}

    private MeasuredTransfers() {}

    /**
     * @param acks of one deployment; those that say no cost do not count
     * @param assumed by too few of them
     */
    public static TransferCosts of(List<RankAck> acks, TransferCosts assumed) {
        TreeMap<Number, FlipCost> slowest =
                new TreeMap<>(Comparator.comparingInt(Number::epoch).thenComparingInt(Number::batch));
        for (RankAck ack : acks) {
            ack.cost()
                    .ifPresent(cost ->
                            slowest.merge(new Number(ack.epoch(), ack.batch()), cost, MeasuredTransfers::slower));
        }
        List<Double> rates = new ArrayList<>();
        List<Double> flips = new ArrayList<>();
        for (FlipCost cost : slowest.values()) {
            flips.add((double) cost.flipNanos());
            if (cost.receivedBytes() > 0 && cost.transferNanos() > 0) {
                rates.add(cost.receivedBytes() * 1e9 / cost.transferNanos());
            }
        }
        if (rates.size() < LEAST_BATCHES) {
            return assumed;
        }
        return new TransferCosts(median(rates), median(flips), rates.size());
    }

    private static FlipCost slower(FlipCost a, FlipCost b) {
        return new FlipCost(
                Math.max(a.receivedBytes(), b.receivedBytes()),
                Math.max(a.transferNanos(), b.transferNanos()),
                Math.max(a.flipNanos(), b.flipNanos()));
    }

    private static double median(List<Double> values) {
        Collections.sort(values);
        return values.get((values.size() - 1) / 2);
    }
}
