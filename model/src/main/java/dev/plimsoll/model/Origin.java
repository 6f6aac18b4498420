package dev.plimsoll.model;

import java.util.Optional;

/**
 * Where a decision comes from and who has a say in it.
 *
 * @param needsApproval whether a person must approve of it before ranks may move anything
 * @param control id of the operator's command that asked for it; empty for the planner's own decisions
 */
public record Origin(boolean needsApproval, Optional<String> control) {
    /** A decision of the planner's own that nobody needs to approve of. */
    public static final Origin PLANNER = new Origin(false, Optional.empty());
}
