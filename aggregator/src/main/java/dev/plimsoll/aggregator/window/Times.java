package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.StepTime;
import java.util.Arrays;
import java.util.Optional;

/**
 * How long the steps of one window took, by boundary interval and rank, of the cells that it has.
 *
 * <p>A sample over several boundary intervals counts as so many equal ones, as nobody can tell which of them took longer. An interval
 * counts when every rank that has any in the window has said what it took: so the sums of all ranks are over the same steps.
 */
final class Times {
    /** A window adds up at most {@link Shapes#MOST_BOUNDARIES} = 2^12 of them, so no sum reaches 2^63. Thirteen days. */
    static final long NANOS_LIMIT = 1L << 50;

    private static final long UNKNOWN = -1;
    private static final long[] NONE = {};

    private final int boundaries;
    private final int ranks;
    /** {@code [boundary · ranks + rank]}; empty until somebody says. */
    private long[] elapsed = NONE;

    private long[] idle = NONE;

    Times(int boundaries, int ranks) {
        this.boundaries = boundaries;
        this.ranks = ranks;
    }

    /** What a sample says of a rank, which is of the boundary intervals {@code [from, to)}; no other sample says anything of these. */
    void take(LoadSample sample, int rank, int from, int to) {
        if (!sample.timed()) {
            return;
        }
        if (elapsed.length == 0) {
            elapsed = new long[boundaries * ranks];
            idle = new long[boundaries * ranks];
            Arrays.fill(elapsed, UNKNOWN);
        }
        long took = sample.elapsedNanos().at(rank - sample.firstRank());
        long stood = sample.idleNanos().at(rank - sample.firstRank());
        for (int boundary = from; boundary < to; boundary++) {
            elapsed[boundary * ranks + rank] = share(took, boundary - from, to - from);
            idle[boundary * ranks + rank] = share(stood, boundary - from, to - from);
        }
    }

    /** One of equal parts, which add up to the whole. */
    private static long share(long nanos, int part, int parts) {
        return nanos * (part + 1) / parts - nanos * part / parts;
    }

    /**
     * The sums and the lowest decile by nearest rank; empty where no interval counts.
     *
     * @param present {@code [rank]} boundary intervals that the window has
     */
    Optional<StepTime> sum(LongVector present) {
        long[] elapsedOf = new long[ranks];
        long[] idleOf = new long[ranks];
        long[] slowest = new long[boundaries];
        int counted = 0;
        for (int boundary = 0; boundary < boundaries && elapsed.length > 0; boundary++) {
            long most = slowest(boundary, present);
            if (most != UNKNOWN) {
                slowest[counted++] = most;
                for (int rank = 0; rank < ranks; rank++) {
                    boolean there = present.at(rank) > 0;
                    elapsedOf[rank] += there ? elapsed[boundary * ranks + rank] : 0;
                    idleOf[rank] += there ? idle[boundary * ranks + rank] : 0;
                }
            }
        }
        if (counted == 0) {
            return Optional.empty();
        }
        Arrays.sort(slowest, 0, counted);
        return Optional.of(new StepTime(
                LongVector.wrapping(elapsedOf), LongVector.wrapping(idleOf), counted, slowest[(counted + 9) / 10 - 1]));
    }

    /** What an interval took on the rank that took longest. */
    private long slowest(int boundary, LongVector present) {
        long most = UNKNOWN;
        for (int rank = 0; rank < ranks; rank++) {
            long took = elapsed[boundary * ranks + rank];
            if (present.at(rank) > 0 && took == UNKNOWN) {
                return UNKNOWN;
            }
            most = present.at(rank) > 0 ? Math.max(most, took) : most;
        }
        return most;
    }

    /** What it takes. */
    long bytes() {
        return 16L * elapsed.length;
    }

    /** What a sample could add to that. */
    long bytesFor(LoadSample sample) {
        return sample.timed() && elapsed.length == 0 ? 16L * boundaries * ranks : 0;
    }

    /** What it takes once somebody has said. */
    static long bytesOfTimed(Membership members) {
        return 16L * members.boundariesPerWindow() * members.topology().ranks();
    }
}
