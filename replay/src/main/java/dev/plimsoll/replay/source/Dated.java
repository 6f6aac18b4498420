package dev.plimsoll.replay.source;

/** A value with the place and the time of its record. */
public record Dated<T>(T value, long offset, long atMillis) {}
