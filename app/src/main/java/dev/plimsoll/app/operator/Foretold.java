package dev.plimsoll.app.operator;

/**
 * What the planner would do with a command of an operator, as far as the topics tell: they may be behind it by a moment, so it has the
 * last word.
 *
 * @param text what would happen, or why nothing would and what to do next
 */
public record Foretold(Kind kind, String text) {

    /** What kind of answer is to be expected. */
    public enum Kind {
        /** It would be done. */
        WOULD_DO,
        /** It is so already. */
        NOTHING_TO_DO,
        /** It rests on a version that is not settled any more, or speaks of a decision that is not in flight. */
        WOULD_BE_STALE,
        /** A rule forbids it. */
        WOULD_BE_REFUSED,
        /** There is nothing yet on which it could rest. */
        TOO_EARLY
    }
}
