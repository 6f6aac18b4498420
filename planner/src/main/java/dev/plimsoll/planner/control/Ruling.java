package dev.plimsoll.planner.control;

import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.planner.protocol.Event;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a command comes to.
 *
 * @param text what is done, or why nothing is and what to do
 * @param epoch the decision that it is about; empty where it is about none, or about one that has no number yet
 * @param event what is to happen to decisions in the same transaction; empty where nothing is
 */
public record Ruling(Verdict verdict, String text, OptionalInt epoch, Optional<Event> event) {
    static Ruling done(String text) {
        return new Ruling(Verdict.DONE, text, OptionalInt.empty(), Optional.empty());
    }

    static Ruling done(String text, OptionalInt epoch, Event event) {
        return new Ruling(Verdict.DONE, text, epoch, Optional.of(event));
    }

    static Ruling stale(String text) {
        return new Ruling(Verdict.STALE, text, OptionalInt.empty(), Optional.empty());
    }

    /** One that nothing is done about, since a rule forbids it. */
    public static Ruling refused(String text) {
        return new Ruling(Verdict.REFUSED, text, OptionalInt.empty(), Optional.empty());
    }
}
