package dev.plimsoll.app.quarantine;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.time.Instant;

/** What is to be done with an entry of quarantine: written to its topic again, or left for a reason. */
public sealed interface Replay {
    Entry entry();

    /** It can be read now and goes to a partition. */
    record Write(Entry entry, SampleRecord value, int partition, String from) implements Replay {
        /** What quarantine says of it then. */
        public Quarantined marker() {
            return entry.record().replayed("to partition " + partition + ", " + from);
        }
    }

    /** Nothing has to be done. */
    record Skip(Entry entry, String why) implements Replay {}

    /** It cannot be done. */
    record Refuse(Entry entry, String why) implements Replay {}

    /**
     * Decides.
     *
     * @param again whether one that was replayed is written once more
     */
    static Replay of(Entry entry, Source source, int partitions, boolean again) {
        Quarantined record = entry.record();
        if (entry.leftOut()) {
            return new Refuse(
                    entry,
                    record.records()
                            + " records were counted and not kept; as long as the topic has them they stand in it, at offsets "
                            + record.offset() + " to " + record.lastOffset());
        }
        if (!record.topic().equals(Topic.SAMPLES.name())) {
            return new Refuse(
                    entry, "only samples can be written again: what stands in " + record.topic() + " has one writer");
        }
        if (entry.replayedMillis().isPresent() && !again) {
            return new Skip(
                    entry,
                    "it was replayed at "
                            + Instant.ofEpochMilli(entry.replayedMillis().getAsLong())
                            + "; once more does no harm, with --again: what a window has is counted as duplicate");
        }
        if (!source.whole()) {
            return new Refuse(entry, source.words() + ": it cannot be had whole");
        }
        try {
            SampleRecord value = Topic.SAMPLES.decode(source.bytes());
            return new Write(
                    entry,
                    value,
                    Topic.SAMPLES.partition(value.deployment(), value, partitions),
                    source.stands() ? "read where it stood" : "from the bytes that were kept");
        } catch (WireException e) {
            return new Refuse(entry, "it still cannot be read: " + e.reason() + ", " + e.getMessage());
        }
    }
}
