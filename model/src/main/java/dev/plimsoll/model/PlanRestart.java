package dev.plimsoll.model;

import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Where somebody who begins with a deployment's settled placement has to read its plan log, which may be years long: the last decisions
 * stand in a few stretches of it, and whatever was or will be written since stands at {@code from} or behind it. What decisions have
 * brought stands in another topic, of which a planner has to read the same.
 *
 * @param stretches first offset and offset behind the last, of one after the other, ascending and before {@code from}
 * @param from behind all that was known
 * @param version settled before the first stretch, in the same incarnation
 * @param term highest before {@code from}
 * @param number highest command number before {@code from}
 * @param lastEpoch highest epoch proposed before {@code from}, in any incarnation
 * @param earlier what the layer that this stands beside held in {@code version} where that is not what it holds: slot, expert, slot,
 *     expert …, idle slots with the complement ({@code ~}) of their expert
 * @param outcomes of the outcomes topic: first offset and offset behind the last of stretches, ascending, and at the end the offset from
 *     which all is to be read; empty where nobody says, and so from its beginning
 */
public record PlanRestart(
        LongVector stretches,
        long from,
        int version,
        long term,
        long number,
        int lastEpoch,
        LongVector earlier,
        LongVector outcomes) {
    public PlanRestart {
        long last = last("plan log", stretches);
        last("outcomes", outcomes);
        if (stretches.size() % 2 != 0 || from < last || version < 0 || earlier.size() % 2 != 0) {
            throw new IllegalArgumentException("plan log at " + stretches + " and from " + from + " on, at v" + version
                    + ", with " + earlier.size() + " numbers of changes");
        }
        if (outcomes.size() > 0 && outcomes.size() % 2 == 0) {
            throw new IllegalArgumentException("outcomes are to be read at " + outcomes + ", and from where on?");
        }
    }

    private static long last(String topic, LongVector bounds) {
        long before = 0;
        for (int i = 0; i < bounds.size(); i++) {
            if (bounds.at(i) < before) {
                throw new IllegalArgumentException("stretches of the " + topic + " must ascend: " + bounds);
            }
            before = bounds.at(i);
        }
        return before;
    }

    /** Beside a layer that is as it was. */
    public PlanRestart(LongVector stretches, long from, int version, long term, long number, int lastEpoch) {
        this(stretches, from, version, term, number, lastEpoch, LongVector.empty(), LongVector.empty());
    }

    /** The lowest offset that is to be read. */
    public long first() {
        return stretches.size() == 0 ? from : stretches.at(0);
    }

    /** Whether a command of the deployment at that offset is to be looked at. */
    public boolean covers(long offset) {
        for (int i = 0; i < stretches.size(); i += 2) {
            if (offset >= stretches.at(i) && offset < stretches.at(i + 1)) {
                return true;
            }
        }
        return offset >= from;
    }

    /** The same of the whole placement. */
    public PlanRestart ofAllLayers() {
        return new PlanRestart(stretches, from, version, term, number, lastEpoch, LongVector.empty(), outcomes);
    }

    /** The same where it is known what of the outcomes has to be read. */
    public PlanRestart withOutcomes(LongVector bounds) {
        return new PlanRestart(stretches, from, version, term, number, lastEpoch, earlier, bounds);
    }

    /**
     * The same beside one layer.
     *
     * @param now what the layer holds, marked as in {@link Placement#marked}
     * @param before what it held in {@code version}, marked too
     */
    public PlanRestart beside(int[] now, int[] before) {
        long[] changes = IntStream.range(0, now.length)
                .filter(slot -> now[slot] != before[slot])
                .mapToObj(slot -> LongStream.of(slot, before[slot]))
                .flatMapToLong(pair -> pair)
                .toArray();
        return new PlanRestart(
                stretches, from, version, term, number, lastEpoch, LongVector.wrapping(changes), outcomes);
    }
}
