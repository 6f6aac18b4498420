package dev.plimsoll.wire.kafka;

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
 * What to do about an error, the one place that decides it.
 *
 * <p>There is one way back to a known state, whatever broke: drop the task, close the producer, fence, recover. Aborting and going
 * on with the same producer would save milliseconds and cost a second way that is hardly ever taken.
 */
enum KafkaFailure {
    /** The cluster is busy or away: the same again, later. */
    RETRY,
    /** The state is not known to be good any more: drop it and recover. The default, also for what we have never heard of. */
    RESET,
    /** It will never work, or the process is broken: stop with one clear line. */
    FATAL;

    static KafkaFailure of(Throwable failure) {
        // Producers wrap what broke them, so a cause may be fatal where its wrapper says nothing.
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof Error
                    || cause instanceof KafkaSetupException
                    || cause instanceof AuthenticationException
                    || cause instanceof AuthorizationException
                    || cause instanceof UnsupportedVersionException
                    || cause instanceof ConfigException
                    || cause instanceof InvalidConfigurationException
                    || cause instanceof InvalidTopicException
                    || cause instanceof RecordTooLargeException
                    || cause instanceof FencedInstanceIdException) {
                return FATAL;
            }
        }
        return failure instanceof RetriableException ? RETRY : RESET;
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
