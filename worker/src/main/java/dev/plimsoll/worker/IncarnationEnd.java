package dev.plimsoll.worker;

import dev.plimsoll.model.End;
import dev.plimsoll.model.Membership;
import java.util.concurrent.atomic.AtomicBoolean;
import reactor.core.publisher.Mono;

/**
 * The END of one incarnation: written by whoever comes first of the pause behind the engines' end, a caller and closing. An
 * attempt that fails or is given up leaves it to the next; so a broker may get it twice, which its readers allow. Any thread.
 */
final class IncarnationEnd {
    private final End record;
    private final WorkerTopics topics;
    private final AtomicBoolean taken = new AtomicBoolean();

    IncarnationEnd(Membership members, WorkerTopics topics) {
        record = new End(members.deployment(), members.incarnation());
        this.topics = topics;
    }

    /** The offset of END; empty where another writes or has written it. Cold. */
    Mono<Long> write() {
        return Mono.defer(() -> taken.compareAndSet(false, true)
                ? topics.write(record).doOnError(e -> taken.set(false)).doOnCancel(() -> taken.set(false))
                : Mono.empty());
    }
}
