package dev.plimsoll.app.bench;

import dev.plimsoll.device.AgentListener;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * What boundaries and the steps between them take while decisions come and go: of all ranks of a process together, which one dispatch
 * thread works off in turn. Boundaries where a batch is flipped are told from others, and steps during transfers from others: all in one
 * run, so that they see the same machine.
 *
 * <p>On the dispatch thread; read when it has stopped.
 */
final class BoundaryTimes implements AgentListener {
    private static final long HIGHEST_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Histogram idle = new Histogram(HIGHEST_NANOS, 3);
    private final Histogram flips = new Histogram(HIGHEST_NANOS, 3);
    private final Histogram steps = new Histogram(HIGHEST_NANOS, 3);
    private final Histogram stepsInTransfers = new Histogram(HIGHEST_NANOS, 3);
    private long step = -1;
    private long nanos;
    private long endedNanos;
    private boolean flipped;
    private boolean transferring;
    /** Of the rank whose boundary is told of next. */
    private boolean flippedNow;

    private boolean transfers;

    @Override
    public void onBoundary(long at, long took) {
        long now = System.nanoTime();
        if (at != step) {
            if (step >= 0) {
                (flipped ? flips : idle).recordValue(Math.min(HIGHEST_NANOS, nanos));
                (transferring ? stepsInTransfers : steps)
                        .recordValue(Math.min(HIGHEST_NANOS, Math.max(0, now - took - endedNanos)));
            }
            step = at;
            nanos = 0;
            flipped = false;
        }
        flipped |= flippedNow;
        flippedNow = false;
        transferring = transfers;
        nanos += took;
        endedNanos = now;
    }

    @Override
    public void onTransfersStarted(int epoch, int batch, long at) {
        transfers = true;
    }

    @Override
    public void onFlipped(int epoch, int batch, long at) {
        flippedNow = true;
        transfers = false;
    }

    @Override
    public void onTransferFailed(int epoch, int batch, String why) {
        transfers = false;
    }

    /** Nanoseconds of boundaries at which nothing is flipped. */
    Histogram idle() {
        return idle;
    }

    /** Of those at which a batch is. */
    Histogram flips() {
        return flips;
    }

    /** Nanoseconds from one boundary's end to the next one's begin, without transfers under way. */
    Histogram steps() {
        return steps;
    }

    /** The same with transfers under way. */
    Histogram stepsInTransfers() {
        return stepsInTransfers;
    }
}
