package dev.plimsoll.planner.control;

import dev.plimsoll.model.Control;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Who wanted something that is in force, why, and since when.
 *
 * @param id of the command
 * @param atMillis by the clock of who gave it
 */
public record Said(String id, String by, String reason, long atMillis) {
    static Said of(Control control) {
        return new Said(control.id(), control.by(), control.reason(), control.atMillis());
    }

    /** Such as {@code by alice since 2026-11-30T09:31:18Z: flaky link}. */
    @Override
    public String toString() {
        return "by " + by + " since " + Instant.ofEpochMilli(atMillis).truncatedTo(ChronoUnit.SECONDS) + ": " + reason;
    }
}
