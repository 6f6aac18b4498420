package dev.plimsoll.wire.kafka;

import java.util.List;

/**
 * What a {@link PartitionTask} wants written at once, together with how far it has read.
 *
 * @param outputs records in order; records for which no deployment is known go to the task's own partition number
 * @param nextInputOffset the oldest offset of the input partition that is still needed after a restart
 */
public record Transaction(List<Output<?>> outputs, long nextInputOffset) {
    public Transaction {
        outputs = List.copyOf(outputs);
    }
}
