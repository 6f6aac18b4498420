package dev.plimsoll.replay.export;

import java.util.OptionalLong;

/**
 * A stretch of time, by the timestamps of records.
 *
 * @param fromMillis the first one in it, the oldest there is when empty
 * @param beforeMillis the first one behind it, none when empty
 */
public record TimeRange(OptionalLong fromMillis, OptionalLong beforeMillis) {
    public static final TimeRange ALL = new TimeRange(OptionalLong.empty(), OptionalLong.empty());

    public boolean contains(long millis) {
        return millis >= fromMillis.orElse(Long.MIN_VALUE) && millis < beforeMillis.orElse(Long.MAX_VALUE);
    }
}
