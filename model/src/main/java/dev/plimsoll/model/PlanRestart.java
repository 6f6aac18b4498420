package dev.plimsoll.model;

import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Where somebody who begins with a deployment's settled placement has to read its plan log, which may be years long: what was decided
 * lately stands in {@code [offset, upTo)}, and whatever was or will be written since stands at {@code from} or behind it.
 *
 * @param offset of the first command that matters: of a proposal that nothing was in flight before
 * @param upTo behind the last command of a decision that was known; not before {@code offset}
 * @param from behind all that was known; not before {@code upTo}
 * @param version settled at {@code offset}, in the same incarnation
 * @param term highest before {@code from}
 * @param number highest command number before {@code from}
 * @param lastEpoch highest epoch proposed before {@code from}, in any incarnation
 * @param earlier what the layer that this stands beside held in {@code version} where that is not what it holds: slot, expert, slot,
 *     expert …, idle slots with the complement ({@code ~}) of their expert
 */
public record PlanRestart(
        long offset, long upTo, long from, int version, long term, long number, int lastEpoch, LongVector earlier) {
    public PlanRestart {
        if (offset < 0 || upTo < offset || from < upTo || version < 0 || earlier.size() % 2 != 0) {
            throw new IllegalArgumentException("plan log from " + offset + " to " + upTo + " and from " + from
                    + " on, at v" + version + ", with " + earlier.size() + " numbers of changes");
        }
    }

    /** Beside a layer that is as it was. */
    public PlanRestart(long offset, long upTo, long from, int version, long term, long number, int lastEpoch) {
        this(offset, upTo, from, version, term, number, lastEpoch, LongVector.empty());
    }

    /** Whether a command of the deployment at that offset is to be looked at. */
    public boolean covers(long at) {
        return (at >= offset && at < upTo) || at >= from;
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
        return new PlanRestart(offset, upTo, from, version, term, number, lastEpoch, LongVector.wrapping(changes));
    }
}
