package dev.plimsoll.app.quarantine;

import dev.plimsoll.model.Quarantined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What stands in quarantine, as it is read: the newest entries that are wanted, and how many there are for each reason. A place that
 * has several entries, as after its topic was made anew, has the newest.
 */
public final class Contents {
    /** How many records there are. */
    public record Count(long records, long leftOut, long replayed) {
        Count plus(long moreRecords, long moreLeftOut, long moreReplayed) {
            return new Count(records + moreRecords, leftOut + moreLeftOut, replayed + moreReplayed);
        }
    }

    private record Found(Quarantined record, long atMillis) {}

    private final int most;
    private final Predicate<Quarantined> wanted;
    private final PriorityQueue<Found> newest = new PriorityQueue<>(Comparator.comparingLong(Found::atMillis)
            .thenComparing(found -> Place.of(found.record()))
            .thenComparing(found -> found.record().kind()));
    private final Map<Place, Long> replays = new HashMap<>();
    private final TreeMap<String, Count> counts = new TreeMap<>();

    /**
     * @param most entries to be remembered
     * @param wanted which ones are; asked of records and of what was left out
     */
    public Contents(int most, Predicate<Quarantined> wanted) {
        this.most = most;
        this.wanted = wanted;
    }

    /** The next record of the quarantine topic. */
    public void add(Quarantined record, long atMillis) {
        if (!wanted.test(record)) {
            return;
        }
        Count before = counts.getOrDefault(record.reason(), new Count(0, 0, 0));
        switch (record.kind()) {
            case REPLAYED -> {
                if (replays.put(Place.of(record), atMillis) == null) {
                    counts.put(record.reason(), before.plus(0, 0, 1));
                }
            }
            case RECORD, LEFT_OUT -> {
                boolean one = record.kind() == Quarantined.Kind.RECORD;
                counts.put(record.reason(), before.plus(one ? 1 : 0, one ? 0 : record.records(), 0));
                newest.add(new Found(record, atMillis));
                if (newest.size() > most) {
                    newest.remove();
                }
            }
        }
    }

    /** The newest entries, the oldest of them first. */
    public List<Entry> entries() {
        PriorityQueue<Found> order = new PriorityQueue<>(newest);
        List<Entry> entries = new ArrayList<>();
        while (!order.isEmpty()) {
            Found next = order.remove();
            Long replayed = replays.get(Place.of(next.record()));
            entries.add(new Entry(
                    next.record(),
                    next.atMillis(),
                    // One from before is of a record that stood there earlier.
                    replayed == null
                                    || replayed < next.atMillis()
                                    || next.record().kind() == Quarantined.Kind.LEFT_OUT
                            ? OptionalLong.empty()
                            : OptionalLong.of(replayed)));
        }
        return entries;
    }

    /** By reason. */
    public Map<String, Count> counts() {
        return Collections.unmodifiableMap(counts);
    }

    public Count total() {
        return counts.values().stream()
                .reduce(
                        new Count(0, 0, 0),
                        (sum, count) -> sum.plus(count.records(), count.leftOut(), count.replayed()));
    }
}
