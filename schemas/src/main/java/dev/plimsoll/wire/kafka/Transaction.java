package dev.plimsoll.wire.kafka;

import java.util.List;

/**
 * What a {@link PartitionTask} wants written at once, together with how far it has read.
 *
 * @param outputs records in order; records for which no deployment is known go to the task's own partition number
 * @param nextInputOffset the offset of the input partition to commit
 * @param note committed beside the offset and given back by {@link InputLog#note}; at most 3,000 characters, may be empty
 */
public record Transaction(List<Output<?>> outputs, long nextInputOffset, String note) {
    private static final int LONGEST_NOTE = 3_000;

    public Transaction {
        outputs = List.copyOf(outputs);
        if (note.length() > LONGEST_NOTE) {
            throw new IllegalArgumentException("a note of " + note.length() + " characters is longer than the "
                    + LONGEST_NOTE + " that brokers keep");
        }
    }

    public Transaction(List<Output<?>> outputs, long nextInputOffset) {
        this(outputs, nextInputOffset, "");
    }
}
