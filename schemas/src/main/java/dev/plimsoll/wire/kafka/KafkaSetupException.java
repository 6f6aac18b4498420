package dev.plimsoll.wire.kafka;

import org.apache.kafka.common.KafkaException;

/**
 * No client could be made of the settings that were given: an address without a port, a name that nobody knows, a credential or a
 * key store that cannot be used. Its message has the cause that Kafka found and the cluster's address. Trying again helps only
 * after somebody has changed something.
 */
public final class KafkaSetupException extends KafkaException {
    private static final long serialVersionUID = 1L;

    KafkaSetupException(String bootstrapServers, KafkaException failure) {
        super("no Kafka client can be made for " + bootstrapServers + ": " + rootOf(failure), failure);
    }

    private static String rootOf(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = String.valueOf(root.getMessage());
        String parent = message;
        for (Throwable cause = failure; cause.getCause() != null; cause = cause.getCause()) {
            parent = String.valueOf(cause.getMessage());
        }
        // A bare "/etc/x.jks" says what only together with what was to be done with it.
        String text = message.contains(" ")
                ? message
                : parent + " (" + root.getClass().getSimpleName() + ")";
        return text + hint(text);
    }

    private static String hint(String text) {
        if (text.contains("Invalid url")) {
            return "; name every broker as host:port";
        }
        return text.contains("No resolvable") ? "; no such host is known here" : "";
    }
}
