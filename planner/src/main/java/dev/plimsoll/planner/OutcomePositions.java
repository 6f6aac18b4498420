package dev.plimsoll.planner;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Outcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where in the outcomes topic the decisions of one deployment stand that an {@link OutcomeHistory} remembers, which is all that a
 * successor needs of it. Pure; for one thread.
 */
final class OutcomePositions {
    /** Stretches that are nearer than that are read as one. */
    private static final long NEAR = 64;

    /** Offset of the newest outcome of each, which is all that counts; measured are decisions one after the other. */
    private final Map<OutcomeHistory.Decision, Long> decisions = new LinkedHashMap<>();

    void add(Outcome outcome, long offset) {
        decisions.put(OutcomeHistory.Decision.of(outcome), offset);
        if (decisions.size() > OutcomeHistory.MOST) {
            decisions.remove(decisions.keySet().iterator().next());
        }
    }

    /**
     * First offset and offset behind the last of stretches, and the offset from which all is to be read.
     *
     * @param position behind the last record of the topic that was read, of whatever deployment
     */
    LongVector readOn(long position) {
        List<Long> bounds = new ArrayList<>();
        for (long offset : decisions.values()) {
            if (!bounds.isEmpty() && offset - bounds.get(bounds.size() - 1) <= NEAR) {
                bounds.set(bounds.size() - 1, offset + 1);
            } else {
                bounds.add(offset);
                bounds.add(offset + 1);
            }
        }
        bounds.add(position);
        return LongVector.of(bounds.stream().mapToLong(Long::longValue).toArray());
    }
}
