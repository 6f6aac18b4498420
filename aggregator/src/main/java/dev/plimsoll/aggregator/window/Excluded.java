package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LongVector;
import java.util.TreeSet;

/** Offsets of samples that were rejected, but which a replay would take for acceptable: it knows a later state. */
final class Excluded {
    private final TreeSet<Long> offsets = new TreeSet<>();

    Excluded(LongVector offsets) {
        for (long offset : offsets.toArray()) {
            this.offsets.add(offset);
        }
    }

    void add(long offset) {
        offsets.add(offset);
    }

    boolean contains(long offset) {
        return offsets.contains(offset);
    }

    /** Forgets offsets that no replay will use. */
    void forgetBefore(long oldestNeeded) {
        offsets.headSet(oldestNeeded).clear();
    }

    int size() {
        return offsets.size();
    }

    LongVector offsets() {
        return LongVector.of(offsets.stream().mapToLong(Long::longValue).toArray());
    }
}
