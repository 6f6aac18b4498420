package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import java.util.List;
import java.util.Optional;

/**
 * The work on one partition: a fold over its records whose results are written in transactions.
 *
 * <p>All methods are called on the loop's one thread, none while a transaction of this task is being committed. A task is made when
 * its partition is assigned and thrown away when the partition is revoked or anything fails; the next one starts from what is
 * committed. It must not keep anything elsewhere. What it throws, {@link Error}s too, concerns its partition alone.
 *
 * <p>A task recovers in turns, so that the loop can poll between them: {@link #nextRead} is asked and its records are delivered until
 * it has no more, then {@link #recovered}; only then come records of the input.
 */
public interface PartitionTask<I> {

    /**
     * Further topics of which this task reads the same partition number, outside of the group. They are read from the offset
     * behind what a {@link RecoveryRead} has brought of them, else from their end at recovery.
     */
    default List<Topic<?>> companions() {
        return List.of();
    }

    /** What has to be read next to rebuild the state; asked when the read before is through, until it is empty. */
    default Optional<RecoveryRead<?>> nextRead(InputLog input) {
        return Optional.empty();
    }

    /**
     * Everything is read; returns the offset of the input partition to go on from, not beyond {@link InputLog#end}.
     *
     * @throws IllegalStateException when what was read contradicts itself or what is committed: the partition is left alone with
     *     this message, but for a try in every minute, until somebody has put that right
     */
    long recovered(InputLog input);

    /** A record of the input topic, in offset order. */
    void onRecord(Received<I> record);

    /** A record of a companion topic, in offset order of that topic; there is no order between topics. */
    default void onCompanion(Received<?> record) {}

    /**
     * A record of the input topic that could not be read, stands in another partition than its deployment's, or has made three tasks
     * throw; in offset order with {@link #onRecord}.
     */
    void onUnreadable(Quarantined record, long timestampMillis);

    /** Called after every poll, with records or without: the place for deadlines. */
    default void onPoll(long nowMillis) {}

    /**
     * What is to be written now; asked after every poll until it is empty. Once taken, it is committed or the task dies. At most 64 MiB:
     * larger ones are refused, and the partition is left alone.
     */
    Optional<Transaction> takeTransaction();

    /**
     * What was taken last is committed: the place to tell anybody of it. Not called where the partition was lost meanwhile, even if the
     * commit went through: the next task finds it in the logs.
     */
    default void onCommitted() {}

    /** The partition is another task's from now on, or nobody's; nothing else is called any more. Must not throw. */
    default void onLost() {}
}
