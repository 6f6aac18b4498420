package dev.plimsoll.wire.kafka;

/** The input's topic was deleted and made again, or has another number of partitions: its tasks recover to see that. */
final class LogChangedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LogChangedException(String topic, InputLog before, String topicId, int partitions) {
        super(topic + " had id " + before.topicId() + " and " + before.partitions() + " partitions and has id "
                + topicId + " and " + partitions + " partitions now");
    }
}
