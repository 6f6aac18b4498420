package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.life.Blast;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/**
 * What to do about an error, and how far it reaches: the one place that decides it.
 *
 * <p>There is one way back to a known state, whatever broke: drop the task, close the producer, fence, recover. Aborting and going
 * on with the same producer would save milliseconds and cost a second way that is hardly ever taken.
 */
enum KafkaFailure {
    /** The cluster is busy or away: the same again, later. */
    RETRY,
    /** The state is not known to be good any more: drop it and recover. The default, also for what we have never heard of. */
    RESET,
    /** What was tried will hardly ever work, or broke the machine: leave it alone, and try again rarely. */
    REFUSED,
    /** Nothing will work until somebody changes the settings, the rights or the cluster: stop with one clear line. */
    FATAL;

    static KafkaFailure of(Throwable failure) {
        boolean refused = false;
        // Producers wrap what broke them, so a cause may be fatal where its wrapper says nothing.
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof KafkaSetupException
                    || cause instanceof AuthenticationException
                    || cause instanceof AuthorizationException
                    || cause instanceof UnsupportedVersionException
                    || cause instanceof ConfigException
                    || cause instanceof InvalidConfigurationException
                    || cause instanceof InvalidTopicException
                    || cause instanceof FencedInstanceIdException) {
                return FATAL;
            }
            refused |= cause instanceof Error
                    || cause instanceof RecordTooLargeException
                    || cause instanceof UnreadableStateException
                    || cause instanceof RefusedException;
        }
        if (refused) {
            return REFUSED;
        }
        return failure instanceof RetriableException ? RETRY : RESET;
    }

    /**
     * How far it reaches.
     *
     * @param work what was being done: the work on a record, a partition or all that the member has
     */
    Blast blast(Blast work) {
        // A member cannot be left alone: whoever is broken in the midst of its polling knows nothing of its state.
        return this == FATAL || this == REFUSED && work == Blast.MEMBER ? Blast.PROCESS : work;
    }

    /** The failure in one line, with the cause that says most. */
    static String describe(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = failure.getClass().getSimpleName() + ": " + failure.getMessage();
        return root == failure
                ? message
                : message + " (" + root.getClass().getSimpleName() + ": " + root.getMessage() + ")";
    }
}
