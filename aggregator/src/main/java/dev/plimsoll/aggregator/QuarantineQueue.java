package dev.plimsoll.aggregator;

import dev.plimsoll.model.Quarantined;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/** What is to be said in quarantine of one partition, until the transaction that says how far the partition is folded takes it along. */
final class QuarantineQueue {
    /** What follows from the record at an offset. */
    private record Due(long offset, List<Quarantined> tell, Breaker after) {}

    private final Deque<Due> due = new ArrayDeque<>();
    private Breaker newest = Breaker.CLOSED;
    private String note = "";
    private int untold;

    /** Goes on where a predecessor was. */
    void recovered(String committedNote) {
        newest = Breaker.of(committedNote);
        note = committedNote;
    }

    Breaker breaker() {
        return newest;
    }

    void add(long offset, Breaker.Step step) {
        if (!step.next().equals(newest) || !step.tell().isEmpty()) {
            due.add(new Due(offset, step.tell(), step.next()));
            newest = step.next();
            untold += step.tell().isEmpty() ? 0 : 1;
        }
    }

    /** Whether there is something to be said. */
    boolean pending() {
        return untold > 0;
    }

    /** Takes what follows from records up to an offset. */
    void takeThrough(long offset, Consumer<Quarantined> each) {
        while (!due.isEmpty() && due.element().offset() <= offset) {
            Due next = due.remove();
            next.tell().forEach(each);
            untold -= next.tell().isEmpty() ? 0 : 1;
            note = next.after().note();
        }
    }

    /** What is to be committed beside the offset, so that a successor goes on from what was taken. */
    String note() {
        return note;
    }
}
