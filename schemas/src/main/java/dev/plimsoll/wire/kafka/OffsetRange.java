package dev.plimsoll.wire.kafka;

/**
 * A stretch of one partition of a topic.
 *
 * @param topic its name
 * @param from offset of the first record
 * @param to offset behind the last record
 */
public record OffsetRange(String topic, int partition, long from, long to) {
    public OffsetRange {
        if (partition < 0 || from < 0 || to < from) {
            throw new IllegalArgumentException("offsets " + from + " to " + to + " of " + topic + "-" + partition
                    + ": the first must be at least 0 and not behind the last");
        }
    }

    /** The part from an offset on; all of it where that is before its beginning. */
    public OffsetRange since(long offset) {
        return new OffsetRange(topic, partition, Math.min(Math.max(from, offset), to), to);
    }

    /** The part before an offset. */
    public OffsetRange until(long offset) {
        return new OffsetRange(topic, partition, from, Math.max(from, Math.min(to, offset)));
    }

    /** Such as {@code plimsoll.windows.v1-2}. */
    public String place() {
        return topic + "-" + partition;
    }

    /** Such as {@code 100..900}, the last one excluded. */
    public String offsets() {
        return from + ".." + to;
    }

    /** Such as {@code plimsoll.windows.v1-2@100..900}. */
    @Override
    public String toString() {
        return place() + "@" + offsets();
    }
}
