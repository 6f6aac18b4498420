package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.model.TransferLists;
import java.util.BitSet;
import java.util.List;

/**
 * What moving takes, batch by batch: when each is flipped, and what time steps lose by it.
 *
 * <p>A batch waits for two boundaries: at the first all ranks have said that they are willing, and transfers start; at the one after the
 * transfers' end all have said that they are ready. Steps go on meanwhile. What they lose is at most the share that does not go with the
 * experts, of the time that transfers take: communication is in that share, and twice as much on the link takes twice as long.
 */
final class MoveTime {
    private MoveTime() {}

    /** Seconds in which a batch's weights pass the links of its busiest rank. */
    static double transferSeconds(Batch batch, Membership members, TransferCosts costs) {
        return (double) TransferLists.of(batch, members.topology()).busiest()
                * members.bytesPerExpert()
                / costs.bytesPerSecond();
    }

    /**
     * Time that steps lose, in microseconds.
     *
     * @param share of a step that experts take
     */
    static double lostMicros(List<Batch> batches, Membership members, TransferCosts costs, double share) {
        double transfers = 0;
        for (Batch batch : batches) {
            transfers += transferSeconds(batch, members, costs) * 1e6;
        }
        return transfers * (1 - share) + batches.size() * costs.flipNanos() / 1e3;
    }

    /**
     * Steps until batches are flipped, on average over what they bring.
     *
     * @param gains {@code [layer]}; those below 0 count as none
     * @param stepMicros what a step takes meanwhile
     */
    static double lateSteps(
            List<Batch> batches, Membership members, TransferCosts costs, double[] gains, double stepMicros) {
        double boundaries = 0;
        double late = 0;
        double sum = 0;
        double micros = members.boundarySteps() * stepMicros;
        for (Batch batch : batches) {
            boundaries += 2 + Math.ceil(micros == 0 ? 0 : transferSeconds(batch, members, costs) * 1e6 / micros);
            BitSet layers = new BitSet();
            batch.moves().forEach(move -> layers.set(move.layer().index()));
            batch.switches().forEach(change -> layers.set(change.layer().index()));
            double gain = layers.stream()
                    .mapToDouble(layer -> Math.max(0, gains[layer]))
                    .sum();
            late += boundaries * gain;
            sum += gain;
        }
        return members.boundarySteps() * (sum == 0 ? boundaries : late / sum);
    }
}
