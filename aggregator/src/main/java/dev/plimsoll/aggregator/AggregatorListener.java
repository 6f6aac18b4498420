package dev.plimsoll.aggregator;

import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.WindowSummary;
import java.time.Duration;

/** What the aggregator tells of its work, on the loop's thread: return soon. For metrics; the topics are the account. */
public interface AggregatorListener {
    AggregatorListener NONE = new AggregatorListener() {};

    /** A window is committed: told once per window, except that a crash just behind the commit may swallow it. */
    default void windowClosed(WindowSummary window) {}

    /**
     * What became of a record, or of all cells that a poll brought. Told again when work that was not committed is done again.
     *
     * @param cells so many ranks' parts of samples share this fate; 0 when it is that of a record that was no sample
     */
    default void fate(Deployment deployment, Fate fate, long cells, long load) {}

    /** A record could not be read; it goes to quarantine, unless it is {@link #leftOut}. Told again with work that is done again. */
    default void unreadable(Quarantined record) {}

    /** A record that could not be read is only counted, as too many have come at once. */
    default void leftOut(Quarantined record) {}

    /** The deployment's incarnation has ended, or another member of the group tells of it from now on. */
    default void released(Deployment deployment) {}

    /** Time is written into the log of a silent deployment. */
    default void tick(Deployment deployment) {}

    /** A quorum reports from elsewhere, and the windows follow. Told again when work that was not committed is done again. */
    default void jumped(Deployment deployment, long fromWindow, long toWindow) {}

    /** Input was lost before it was folded. */
    default void inputLost(int partition, long neededOffset, long firstOffset) {}

    default void committed(int partition, int outputs, Duration took) {}

    /** A partition's work failed and starts again from what is committed. */
    default void reset(int partition, Throwable cause) {}

    /** A partition is left alone, but for a try in every minute, of which this is told again. */
    default void quarantined(int partition, Throwable cause) {}
}
