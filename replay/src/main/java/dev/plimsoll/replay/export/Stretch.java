package dev.plimsoll.replay.export;

import java.util.OptionalLong;

/**
 * A stretch of time, by the timestamps of records.
 *
 * @param fromMillis the first one in it, the oldest there is when empty
 * @param beforeMillis the first one behind it, none when empty
 */
public record Stretch(OptionalLong fromMillis, OptionalLong beforeMillis) {
    public static final Stretch ALL = new Stretch(OptionalLong.empty(), OptionalLong.empty());

    public Stretch {
        if (fromMillis.isPresent() && beforeMillis.isPresent() && fromMillis.getAsLong() >= beforeMillis.getAsLong()) {
            throw new IllegalArgumentException("a stretch of time must begin before it ends");
        }
    }

    public boolean contains(long millis) {
        return millis >= fromMillis.orElse(Long.MIN_VALUE) && millis < beforeMillis.orElse(Long.MAX_VALUE);
    }

    /** From a time on. */
    public static Stretch since(long millis) {
        return new Stretch(OptionalLong.of(millis), OptionalLong.empty());
    }

    /** With another beginning: what an answer needs may have been written before the stretch that is asked about. */
    public Stretch reachingBackTo(OptionalLong millis) {
        return new Stretch(millis, beforeMillis);
    }
}
