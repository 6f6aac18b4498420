package dev.plimsoll.worker;

import java.util.EnumMap;
import java.util.Map;

/** What schedules have seen, counted, so that a suite can tell that they were not about nothing. For one thread. */
final class Seen {
    enum What {
        SETTLED,
        /** Settlements of a part. */
        PREFIX,
        VOIDED,
        /** Decisions that were stopped for being late. */
        LATE,
        LIFE,
        LOST_GATHER,
        ACK,
        PLANNER,
        /** Planners that wrote once more after another had fenced them. */
        ZOMBIE,
        /** Planners whose last transaction was lost with them. */
        DIED_BEFORE_COMMIT,
        /** Planners whose last transaction was committed, and who told nobody. */
        DIED_UNTOLD,
        /** Planners' clocks that were set. */
        CLOCK_SET,
        WINDOW,
        INCOMPLETE_WINDOW,
        PAUSED,
        RESUMED,
        /** Windows that were not decided on because of a pause. */
        HELD_BACK,
        PINNED,
        DRAINED,
        /** Proposals that had to keep pins or drains. */
        CONSTRAINED,
        APPROVED,
        REJECTED,
        /** Decisions that people stopped. */
        STOPPED,
        /** Rollbacks that people wanted and got proposed. */
        WENT_BACK,
        /** Rollbacks that planners proposed by themselves. */
        TOOK_BACK,
        /** Ends that people got since nothing was ever permitted, whatever windows show. */
        ENDED_UNPERMITTED,
        /** Ends that people got by what windows show. */
        ENDED_BY_SIGHT,
        /** Ends that people did not get, as nobody knew one. */
        NO_WAY_OUT,
        STALE,
        REFUSED
    }

    private final Map<What, Long> counts = new EnumMap<>(What.class);

    void saw(What what) {
        saw(what, 1);
    }

    void saw(What what, long times) {
        counts.merge(what, times, Long::sum);
    }

    void add(Seen more) {
        more.counts.forEach(this::saw);
    }

    long times(What what) {
        return counts.getOrDefault(what, 0L);
    }

    @Override
    public String toString() {
        return counts.toString();
    }
}
