package dev.plimsoll.replay.format;

import java.io.IOException;
import java.util.List;

/** A format has no way to say what it was asked to, or was not told enough to say it: all reasons at once. */
public final class CannotHoldException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient List<String> reasons;

    public CannotHoldException(String format, List<String> reasons) {
        super("cannot be written as " + format + ": " + String.join("; ", reasons));
        this.reasons = List.copyOf(reasons);
    }

    public List<String> reasons() {
        return reasons;
    }
}
