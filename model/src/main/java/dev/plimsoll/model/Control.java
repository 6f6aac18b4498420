package dev.plimsoll.model;

import java.util.OptionalInt;

/**
 * An operator's command to the planner of a deployment: who wants what, and why.
 *
 * <p>Is answered once ({@link ControlAnswer}), by the planner that owns the deployment, together with what it leads to.
 *
 * @param id unique, such as a UUID
 * @param atMillis when it was given, by the clock of who gave it
 * @param by who gave it
 * @param reason why; never empty, as it is all that is known of it a year later
 * @param basedOn the settled version that the operator saw; what rests on another is stale. Empty where it holds for any.
 */
public record Control(
        Deployment deployment,
        String id,
        long atMillis,
        String by,
        String reason,
        OptionalInt basedOn,
        ControlAction action)
        implements ControlRecord {
    public Control {
        require(!id.isBlank(), "a command needs an id");
        require(!by.isBlank(), "a command needs the name of who gives it");
        require(!reason.isBlank(), "a command needs a reason");
        require(basedOn.orElse(0) >= 0, "no version is negative: " + basedOn);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    @Override
    public String summary() {
        return action.summary() + (basedOn.isPresent() ? " on v" + basedOn.getAsInt() : "") + " by " + by + ": "
                + reason;
    }
}
