package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Deployment;
import java.util.List;

/**
 * What the fold tells of the records that it reads, on its thread. Not told again in replay, but told again when work that was not
 * committed is done again: for metrics, not for accounts.
 */
public interface FoldListener {
    FoldListener NONE = new FoldListener() {};

    /**
     * @param cells ranks of the sample that share this fate; 0 when the record was no sample
     * @param load what they counted; 0 for {@link Fate#TOO_LARGE}
     */
    default void fate(Deployment deployment, Fate fate, long cells, long load) {}

    /** Ranks have said nothing while others went on: this window closes without them, and they are not waited for until they report. */
    default void lapsed(Deployment deployment, long window, List<Integer> ranks) {}

    /** A quorum reports from elsewhere, and the fold follows; the windows between are not published. */
    default void jumped(Deployment deployment, long fromWindow, long toWindow) {}
}
