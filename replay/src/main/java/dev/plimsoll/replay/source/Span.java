package dev.plimsoll.replay.source;

import java.time.Duration;
import java.util.Optional;

/**
 * The stretch of the past that is wanted.
 *
 * @param from its beginning, included; all that is there when empty
 * @param to its end, excluded; what is there now when empty
 * @param last so far back from the deployment's newest window, or from {@code to}
 */
public record Span(Optional<Edge> from, Optional<Edge> to, Optional<Duration> last) {
    /** All that the topics have. */
    public static final Span ALL = new Span(Optional.empty(), Optional.empty(), Optional.empty());

    public Span {
        if (from.isPresent() && last.isPresent()) {
            throw new IllegalArgumentException("a beginning and how far back it is say the same: give one of them");
        }
        last.filter(back -> back.isNegative() || back.isZero()).ifPresent(back -> {
            throw new IllegalArgumentException("how far back must be more than nothing, not " + back);
        });
        if (from.orElse(null) instanceof Edge.At begin
                && to.orElse(null) instanceof Edge.At end
                && !begin.time().isBefore(end.time())) {
            throw new IllegalArgumentException("from " + begin + " to " + end + " is no time");
        }
    }
}
