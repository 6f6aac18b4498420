package dev.plimsoll.replay.export;

import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.Topic;
import java.util.Optional;

/** What is kept of one deployment, in whatever holds it. */
public interface DeploymentRecords {

    /**
     * Records in their order, one after the other.
     *
     * @param <T> the values of the topic's records
     */
    interface Log<T> extends AutoCloseable {
        /** The next record; empty at the end. */
        Optional<Dated<T>> next();

        @Override
        void close();
    }

    /** A record and its timestamp. */
    record Dated<T>(long timestampMillis, T value) {}

    /** The records of a topic whose timestamps are in a stretch of time. */
    <T> Log<T> read(Topic<T> topic, TimeRange times);

    /** The records of a topic from the beginning of an incarnation on, if not earlier. */
    <T> Log<T> readFrom(Topic<T> topic, long incarnation);

    /** Who took part in an incarnation; empty where that is not kept any more. */
    Optional<Membership> members(long incarnation);
}
