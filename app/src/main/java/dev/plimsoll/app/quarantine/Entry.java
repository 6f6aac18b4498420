package dev.plimsoll.app.quarantine;

import dev.plimsoll.model.Quarantined;
import java.util.OptionalLong;

/**
 * A line of quarantine: a record, or several that were left out, and what became of it.
 *
 * @param atMillis when it was quarantined
 * @param replayedMillis when it was last written again, empty when it never was
 */
public record Entry(Quarantined record, long atMillis, OptionalLong replayedMillis) {
    public Place place() {
        return Place.of(record);
    }

    public boolean leftOut() {
        return record.kind() == Quarantined.Kind.LEFT_OUT;
    }
}
