package dev.plimsoll.planner;

import dev.plimsoll.planner.protocol.Moment;
import java.time.Duration;

/**
 * How far a deployment's ranks have come while somebody watches, by the steps that windows and acks speak of, and whether they are still
 * heard of. Pure; for one thread.
 *
 * <p>What is known of a watch is behind the ranks, by a window at most. So a wait may end later by so much than it should, or, where it
 * began while less was known, earlier; the milliseconds that every deadline has besides bound the latter.
 */
final class BoundaryWatch {
    /** Silence is never told sooner: an engine may have nothing to do. */
    private static final Duration LEAST_SILENCE = Duration.ofHours(1);

    private static final Duration MOST_SILENCE = Duration.ofDays(1);

    /** How many times as long as ever before nothing must have been heard. */
    private static final int GAPS = 8;

    private boolean known;
    private long step;
    private long counted;
    private long heardMillis;
    private long longestGapMillis;

    BoundaryWatch(long nowMillis) {
        this.heardMillis = nowMillis;
    }

    /** A step of before somebody watched, or of an engine that counts anew: none of its boundaries were passed since. */
    void from(long at) {
        known = true;
        step = at;
    }

    /** Ranks have come to a step. */
    void heard(long at, long nowMillis) {
        if (!known) {
            from(at);
            heardMillis = nowMillis;
        } else if (at > step) {
            counted += at - step;
            step = at;
            longestGapMillis = Math.max(longestGapMillis, nowMillis - heardMillis);
            heardMillis = nowMillis;
        }
    }

    /** @param boundarySteps steps from boundary to boundary */
    Moment at(long nowMillis, int boundarySteps) {
        long patience = Math.min(MOST_SILENCE.toMillis(), Math.max(LEAST_SILENCE.toMillis(), GAPS * longestGapMillis));
        return new Moment(nowMillis, counted / boundarySteps, nowMillis - heardMillis >= patience);
    }
}
