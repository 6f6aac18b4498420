package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;

/** A record as it came from a topic. */
public record Received<T>(Topic<T> topic, int partition, long offset, long timestampMillis, T value) {}
