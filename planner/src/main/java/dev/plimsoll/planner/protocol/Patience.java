package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Membership;
import java.util.OptionalInt;

/**
 * How long a planner waits for ranks. A wait is over when ranks have passed so many boundaries without saying what was waited for, and
 * not before so many milliseconds: where boundaries are short, it is not the ranks that take the time but the records between them and us.
 *
 * @param accept boundaries until all have accepted; empty as the membership says
 * @param progress boundaries until the next batch is flipped, or all have stopped; empty as the membership says
 * @param approveMillis until a person has approved; by the clock alone
 */
public record Patience(
        long acceptMillis,
        long progressMillis,
        long abortMillis,
        OptionalInt accept,
        OptionalInt progress,
        long approveMillis) {
    private static final long APPROVE_MILLIS = 30 * 60_000;

    public Patience {
        if (acceptMillis < 1 || progressMillis < 1 || abortMillis < 1 || approveMillis < 1) {
            throw new IllegalArgumentException("deadlines must be at least 1 ms: accept " + acceptMillis + ", progress "
                    + progressMillis + ", abort " + abortMillis + ", approve " + approveMillis);
        }
    }

    /** With boundaries as memberships say. */
    public Patience(long acceptMillis, long progressMillis, long abortMillis) {
        this(acceptMillis, progressMillis, abortMillis, OptionalInt.empty(), OptionalInt.empty());
    }

    /** With half an hour for people. */
    public Patience(
            long acceptMillis, long progressMillis, long abortMillis, OptionalInt accept, OptionalInt progress) {
        this(acceptMillis, progressMillis, abortMillis, accept, progress, APPROVE_MILLIS);
    }

    /** With so long for people. */
    public Patience withApproval(long millis) {
        return new Patience(acceptMillis, progressMillis, abortMillis, accept, progress, millis);
    }

    Approval toApprove(Moment now) {
        return Approval.until(now.millis() + approveMillis);
    }

    Due toAccept(Membership members, Moment now) {
        return due(now, acceptMillis, accept.orElse(of(members).accept()));
    }

    Due toFlip(Membership members, Moment now) {
        return due(now, progressMillis, progress.orElse(of(members).progress()));
    }

    Due toStop(Membership members, Moment now) {
        return due(now, abortMillis, progress.orElse(of(members).progress()));
    }

    private static Deadlines of(Membership members) {
        return members.traits().deadlines();
    }

    private static Due due(Moment now, long millis, int boundaries) {
        return new Due(now.millis() + millis, now.boundaries() + boundaries);
    }
}
