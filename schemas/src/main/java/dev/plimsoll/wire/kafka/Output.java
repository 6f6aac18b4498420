package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import java.util.OptionalLong;

/**
 * A record to be written.
 *
 * @param deployment decides the partition, except where the value itself belongs to one (see {@link Topic#partition(Deployment,
 *     Object, int)})
 * @param timestampMillis the record's timestamp, the time of sending when empty
 * @param removal whether the value's key is taken back (a tombstone) in place of written
 */
public record Output<T>(Topic<T> topic, Deployment deployment, T value, OptionalLong timestampMillis, boolean removal) {
    public static <T> Output<T> of(Topic<T> topic, Deployment deployment, T value) {
        return new Output<>(topic, deployment, value, OptionalLong.empty(), false);
    }

    public static <T> Output<T> at(Topic<T> topic, Deployment deployment, T value, long timestampMillis) {
        return new Output<>(topic, deployment, value, OptionalLong.of(timestampMillis), false);
    }

    /** A tombstone for the record that has this value's key. */
    public static <T> Output<T> removal(Topic<T> topic, Deployment deployment, T value) {
        return new Output<>(topic, deployment, value, OptionalLong.empty(), true);
    }
}
