package dev.plimsoll.app.bench;

import dev.plimsoll.device.AgentListener;
import dev.plimsoll.simulator.EngineListener;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * What boundaries, and the work of steps between them, take while decisions come and go: of all ranks of a process together, which one
 * dispatch thread works off in turn. Steps count without waiting until they are due, which would hide what they lose. Each is compared
 * with the last of its kind before it that had nothing of a decision in it.
 *
 * <p>On the dispatch thread; read when it has stopped.
 */
final class BoundaryTimes implements AgentListener {
    private static final long HIGHEST_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final int boundarySteps;
    private final Histogram idle = new Histogram(HIGHEST_NANOS, 3);
    private final Histogram flips = new Histogram(HIGHEST_NANOS, 3);
    private final Pairs transfers = new Pairs();
    private final Pairs flipping = new Pairs();
    /** Nanoseconds; negative where there was none yet. */
    private long quietStep = -1;

    private long quietBoundary = -1;
    private long boundary;
    /** Work of the steps since the last boundary, but for the one before the next. */
    private final long[] work;

    private int worked;
    private boolean starting;
    private boolean transferring;
    private boolean flipped;

    /** @param boundarySteps K */
    BoundaryTimes(int boundarySteps) {
        this.boundarySteps = boundarySteps;
        work = new long[boundarySteps];
    }

    @Override
    public void onTransfersStarted(int epoch, int batch, long at) {
        starting = true;
    }

    @Override
    public void onFlipped(int epoch, int batch, long at) {
        flipped = true;
        starting = false;
    }

    @Override
    public void onTransferFailed(int epoch, int batch, String why) {
        starting = false;
    }

    /** What is to be told of the engine's steps. */
    EngineListener steps() {
        return new EngineListener() {
            @Override
            public void boundaryDone(long step, long nanos) {
                boundary = nanos;
                (flipped ? flips : idle).recordValue(Math.min(HIGHEST_NANOS, nanos));
            }

            @Override
            public void stepped(long step, long nanos) {
                if (step % boundarySteps != 0) {
                    work[worked++ % boundarySteps] = nanos;
                } else {
                    boundaryOver(nanos);
                }
            }
        };
    }

    /** @param last work of the step before the boundary: a flip's copies run behind it, on the streams that it is waited for on */
    private void boundaryOver(long last) {
        long all = boundary + last;
        if (flipped && quietBoundary >= 0) {
            flipping.add(quietBoundary, all);
        } else if (!transferring && !starting && !flipped) {
            quietBoundary = all;
        }
        long median = median();
        if (transferring && quietStep >= 0) {
            transfers.add(quietStep, median);
        } else if (!transferring && worked > 0) {
            quietStep = median;
        }
        transferring = starting;
        flipped = false;
        worked = 0;
    }

    /** What the system took from one of the steps is not the others'. */
    private long median() {
        Arrays.sort(work, 0, Math.min(worked, boundarySteps));
        return work[Math.min(worked, boundarySteps) / 2];
    }

    /** Nanoseconds of boundaries at which nothing is flipped. */
    Histogram idle() {
        return idle;
    }

    /** Of those at which a batch is. */
    Histogram flips() {
        return flips;
    }

    /** Nanoseconds of a step's work, the median of the K - 1 between two boundaries, with transfers under way against without. */
    Pairs transfers() {
        return transfers;
    }

    /** Of a boundary with the step before it, with a flip against without; of all ranks. */
    Pairs flipping() {
        return flipping;
    }

    /** Nanoseconds of work of one step; 0 where no transfer was seen. */
    double stepNanos() {
        return transfers.base();
    }
}
