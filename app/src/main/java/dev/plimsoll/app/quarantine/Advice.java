package dev.plimsoll.app.quarantine;

import dev.plimsoll.wire.WireException.Reason;
import java.util.Arrays;
import java.util.Optional;

/** What a reason means for whoever has to do something about it. */
public enum Advice {
    FRAME(
            "it does not begin as our records do, so another program has written it, or it was damaged",
            "find who writes to this topic (the key may say), and take the right from it; nothing is to be replayed"),
    UNKNOWN_SCHEMA(
            "it is framed as records of a schema registry are, with an id that is none of this topic",
            "find who writes to this topic (the key may say), and take the right from it; nothing is to be replayed"),
    NEWER_SCHEMA(
            "a later release of Plimsoll has written it",
            "upgrade the aggregators, then replay it with that release: 'plimsoll quarantine replay'"),
    MALFORMED(
            "it has the id of one of our schemas and is not one of its records: damaged, or made by somebody else",
            "look at the field where reading stops and at whoever wrote it; if all records of a collector look like this, report it"),
    INVALID(
            "all its fields can be read, and what they say is impossible",
            "look at the fields and at whoever wrote it; if it was one of our collectors, report it"),
    MISPLACED(
            "it is a good record in another partition than its deployment's, where the aggregator does not look for it",
            "give its producer Kafka's default partitioner (murmur2), then replay it: it goes where it belongs"),
    CRASHED(
            "it is a good record at which the aggregator failed three times",
            "report it with the errors in the aggregator's log; replay it when a release mends that, else it fails again");

    private final String meaning;
    private final String todo;

    Advice(String meaning, String todo) {
        this.meaning = meaning;
        this.todo = todo;
    }

    /** Of a reason's word; empty for one of a later release. */
    public static Optional<Advice> of(String reason) {
        return Arrays.stream(values())
                .filter(advice -> advice.name().equals(reason))
                .findFirst();
    }

    /** Of a reason that this release gives. */
    public static Advice of(Reason reason) {
        return of(reason.name()).orElseThrow();
    }

    public String meaning() {
        return meaning;
    }

    /** What to do next. */
    public String todo() {
        return todo;
    }
}
