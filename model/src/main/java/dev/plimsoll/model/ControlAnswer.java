package dev.plimsoll.model;

import java.util.OptionalInt;

/**
 * What a planner has done with an operator's command; in one transaction with what it has done.
 *
 * @param id of the command
 * @param text what was done, or why nothing was and what to do next
 * @param epoch the decision that the command led to, or ended
 * @param version the settled version when it was answered
 */
public record ControlAnswer(
        Deployment deployment,
        long incarnation,
        String id,
        Verdict verdict,
        String text,
        OptionalInt epoch,
        int version)
        implements ControlRecord {

    /** What came of it. */
    public enum Verdict {
        DONE,
        /** It rests on a version that is not settled any more, or speaks of a decision that is not in flight. */
        STALE,
        /** A rule forbids it. */
        REFUSED
    }

    public ControlAnswer {
        if (id.isBlank() || text.isBlank()) {
            throw new IllegalArgumentException(
                    "an answer needs the id of its command and a text: '" + id + "', '" + text + "'");
        }
    }

    @Override
    public String summary() {
        return verdict + " " + text;
    }
}
