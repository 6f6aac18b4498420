package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.life.Place;
import java.util.Objects;

/** A task threw at a record. */
final class CrashException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Place place;

    CrashException(Place place, Throwable cause) {
        super("at " + place.topic() + "@" + place.offset(), cause);
        this.place = place;
    }

    Place place() {
        return place;
    }

    Throwable crash() {
        return Objects.requireNonNull(getCause());
    }
}
