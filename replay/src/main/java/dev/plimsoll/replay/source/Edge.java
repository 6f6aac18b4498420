package dev.plimsoll.replay.source;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a stretch of the past begins or ends. */
public sealed interface Edge {
    /** At the first window that was closed then or later. */
    record At(Instant time) implements Edge {
        @Override
        public String toString() {
            return time.toString();
        }
    }

    /** At this offset of the deployment's partition of the windows topic; other topics by the time of the record there. */
    record Offset(long offset) implements Edge {
        public Offset {
            if (offset < 0) {
                throw new IllegalArgumentException("an offset must be at least 0, not " + offset);
            }
        }

        @Override
        public String toString() {
            return "offset:" + offset;
        }
    }

    Pattern OFFSET = Pattern.compile("offset:(\\d{1,18})");

    /**
     * As people write it: {@code 2026-11-29T20:05Z}, with or without seconds, in any zone; or {@code offset:1200}.
     *
     * @throws IllegalArgumentException says what is wrong
     */
    static Edge parse(String text) {
        Matcher offset = OFFSET.matcher(text.toLowerCase(Locale.ROOT));
        if (offset.matches()) {
            return new Offset(Long.parseLong(offset.group(1)));
        }
        try {
            return new At(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' is neither a time with its zone, such as 2026-11-29T20:05:00Z, nor offset:N", e);
        }
    }
}
