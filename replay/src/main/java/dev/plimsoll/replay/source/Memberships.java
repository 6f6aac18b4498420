package dev.plimsoll.replay.source;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.OffsetRange;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import java.io.IOException;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/** Who took part in the incarnations of a deployment, as far as the topics say. */
final class Memberships {
    private Memberships() {}

    /**
     * The membership of an incarnation, the newest when empty: the compacted topic has that one, the samples those of their retention.
     *
     * @param members what is read of the compacted topic, where nothing may be left of it when it has been compacted since
     * @throws IOException when there is none: says which there are
     */
    static Membership of(PastRecords records, OffsetRange members, OptionalLong incarnation) throws IOException {
        TreeMap<Long, Membership> known = new TreeMap<>();
        collect(records, Topic.MEMBERS, members, known);
        if (known.isEmpty() || incarnation.isPresent() && !known.containsKey(incarnation.getAsLong())) {
            collect(records, Topic.SAMPLES, records.whole(Topic.SAMPLES), known);
        }
        if (known.isEmpty()) {
            throw new IOException("no membership of " + records.deployment() + " in " + members + " or in "
                    + Topic.SAMPLES.name()
                    + ": 'plimsoll topics tail members --from-beginning' lists the deployments that are there");
        }
        if (incarnation.isEmpty()) {
            return known.lastEntry().getValue();
        }
        Membership found = known.get(incarnation.getAsLong());
        if (found == null) {
            throw new IOException("no membership of incarnation " + incarnation.getAsLong() + " of "
                    + records.deployment() + ": the topics know " + known.keySet() + " (" + Topic.MEMBERS.name()
                    + " keeps the newest one, " + Topic.SAMPLES.name() + " those of its retention)");
        }
        return found;
    }

    /** The incarnations that the topics know, where one is wanted that is not above the given one. */
    static NavigableMap<Long, Membership> upTo(PastRecords records, OffsetRange members, long incarnation) {
        TreeMap<Long, Membership> known = new TreeMap<>();
        collect(records, Topic.MEMBERS, members, known);
        if (known.floorKey(incarnation) == null && !known.isEmpty()) {
            collect(records, Topic.SAMPLES, records.whole(Topic.SAMPLES), known);
        }
        return known;
    }

    private static <T extends SampleRecord> void collect(
            PastRecords records, Topic<T> topic, OffsetRange range, TreeMap<Long, Membership> known) {
        try (PastRecords.Reading<T> reading = records.read(topic, range, none -> {})) {
            for (Optional<Received<T>> next = reading.next(); next.isPresent(); next = reading.next()) {
                SampleRecord value = next.orElseThrow().value();
                if (value instanceof Membership members) {
                    known.put(members.incarnation(), members);
                }
            }
        }
    }
}
