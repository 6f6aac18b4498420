package dev.plimsoll.wire.life;

/** A record of a partition: topics share the partition's number, so topic and offset name it. */
public record Place(String topic, long offset) {}
