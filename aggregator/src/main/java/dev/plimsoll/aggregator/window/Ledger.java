package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState.Counts;
import dev.plimsoll.model.Deployment;

/** Counts what became of records since the last close, and tells the listener. */
final class Ledger {
    private final Deployment deployment;
    private final FoldListener listener;
    private Counts sinceClose;

    Ledger(Deployment deployment, FoldListener listener, Counts sinceClose) {
        this.deployment = deployment;
        this.listener = listener;
        this.sinceClose = sinceClose;
    }

    void count(Fate fate, long cells, long load) {
        sinceClose = sinceClose.plus(
                switch (fate) {
                    case ACCEPTED -> Counts.NONE;
                    case LATE -> new Counts(1, 0, 0, 0, 0);
                    case DUPLICATE -> new Counts(0, cells, 0, 0, 0);
                    case CONFLICT -> new Counts(0, 0, cells, 0, 0);
                    case UNATTRIBUTED -> new Counts(0, 0, 0, 0, load);
                    default -> new Counts(0, 0, 0, 1, 0);
                });
        listener.fate(deployment, fate, cells, load);
    }

    Counts sinceClose() {
        return sinceClose;
    }

    /** What was counted since the last close; counting starts anew. */
    Counts take() {
        Counts taken = sinceClose;
        sinceClose = Counts.NONE;
        return taken;
    }
}
