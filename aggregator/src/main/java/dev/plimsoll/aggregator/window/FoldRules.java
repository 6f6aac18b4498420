package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.LoadSample;
import java.util.NavigableSet;

/**
 * The decisions of the fold that are easy to get wrong. One object per deployment and life of the task; the rules have no state.
 *
 * <p>Tests put wrong variants in place of each to show that the properties would find them.
 */
class FoldRules {
    /** The time that grace is measured with: the record's own, even if it is behind an earlier one's. */
    long clock(long appendTimeMillis) {
        return appendTimeMillis;
    }

    /** Whether the grace timer of a window starts when a quorum passes its end; not only once it is the first open one. */
    boolean startsTimer(long window, long firstOpen) {
        return true;
    }

    /** The first open window after a close: the next, even when nothing has come for it, as others may still be on the way. */
    long next(long closed, NavigableSet<Long> open) {
        return closed + 1;
    }

    /** Whether a rank that reports from elsewhere is to be believed. */
    boolean believes(AggregatorState.Astray rank, long appendTimeMillis, WindowSettings settings) {
        return rank.records() >= settings.resyncRecords()
                || (rank.records() >= 2
                        && appendTimeMillis - rank.sinceMillis()
                                >= settings.resyncTime().toMillis());
    }

    /** Whether some that report from elsewhere for so long are followed although they are no quorum, when nothing has grown for so long. */
    boolean followsTheRest(long millis, WindowSettings settings) {
        return millis >= settings.silentTime().toMillis();
    }

    /** How many have to report from one place to be followed without a quorum, when so many do at most. */
    int together(int enough, int mostTogether) {
        return Math.max(enough, mostTogether);
    }

    /** Whether steps that were jumped over may come to be open again. */
    boolean returns() {
        return true;
    }

    /** The first open window, when the first sample is in this one. */
    long begins(long window) {
        return window;
    }

    /**
     * Whether open windows that nothing came for have waited long enough. The first record behind an outage of the broker proves
     * nothing: samples may be on their way, so an earlier one must have been silent too.
     *
     * @param silentMillis from the newest sample that a window took to this record
     * @param witnessedMillis from there to the record before this one
     */
    boolean idle(long silentMillis, long witnessedMillis, WindowSettings settings) {
        long idle = settings.idleTime().toMillis();
        return silentMillis >= idle && witnessedMillis >= idle / 2;
    }

    /**
     * Whether a window that others are past has waited long enough for those that are not; for half of that time others must have gone
     * on, as a record before this one has shown (see {@link #idle}).
     *
     * @param silentMillis from the newest sample that the window took to this record
     * @param othersMillis from there to the newest sample of others, as of the record before this one
     */
    boolean lapses(long silentMillis, long othersMillis, WindowSettings settings) {
        long silent = settings.silentTime().toMillis();
        return silentMillis >= silent && othersMillis >= silent / 2;
    }

    /** Whether a rank that was not waited for is waited for again when it reports. */
    boolean waitsAgain() {
        return true;
    }

    /** Whether a sample inside of a window belongs to it. */
    boolean attributable(LoadSample sample) {
        return !sample.mixed();
    }

    /** A cell came again with other values: the first in log order stays. */
    void onConflict(OpenWindow window, LoadSample sample, int rank) {}
}
