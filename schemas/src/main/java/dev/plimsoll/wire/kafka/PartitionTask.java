package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import java.util.List;
import java.util.Optional;

/**
 * The work on one partition: a fold over its records whose results are written in transactions.
 *
 * <p>All methods are called on the loop's one thread. A task is made when its partition is assigned and thrown away when the
 * partition is revoked or anything fails; the next one starts from {@link #recover}. It must not keep anything elsewhere.
 */
public interface PartitionTask<I> {

    /**
     * Further topics of which this task reads the same partition number, outside of the group. They are read from the offset
     * behind what {@link Recovery} has returned of them, else from their end at recovery.
     */
    default List<Topic<?>> companions() {
        return List.of();
    }

    /** Rebuilds the state; returns the offset of the input partition to read from. */
    long recover(Recovery recovery);

    /** A record of the input topic, in offset order. */
    void onRecord(Received<I> record);

    /** A record of a companion topic, in offset order of that topic; there is no order between topics. */
    default void onCompanion(Received<?> record) {}

    /** A record of the input topic that could not be read. */
    void onUnreadable(Quarantined record, long timestampMillis);

    /** Called after every poll, with records or without: the place for deadlines. */
    default void onPoll(long nowMillis) {}

    /** What is to be written now; asked after every poll until it is empty. Once taken, it is committed or the task dies. */
    Optional<Transaction> takeTransaction();
}
