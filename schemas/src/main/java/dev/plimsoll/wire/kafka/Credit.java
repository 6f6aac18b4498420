package dev.plimsoll.wire.kafka;

import java.util.concurrent.atomic.AtomicLong;

/** How many batches a subscriber has asked for and not got; added to by any thread, taken by one. Saturates, never overflows. */
final class Credit {
    private static final long CANCELLED = -1;

    private final AtomicLong batches = new AtomicLong();

    /** {@link Long#MAX_VALUE} once means without bound for ever. */
    void add(long more) {
        batches.updateAndGet(now -> {
            if (now == CANCELLED || now == Long.MAX_VALUE) {
                return now;
            }
            long sum = now + more;
            return sum < 0 ? Long.MAX_VALUE : sum;
        });
    }

    boolean any() {
        return batches.get() > 0;
    }

    boolean take() {
        return batches.getAndUpdate(now -> now <= 0 || now == Long.MAX_VALUE ? now : now - 1) > 0;
    }

    /** No more, whatever is added later. */
    void cancel() {
        batches.set(CANCELLED);
    }
}
