package dev.plimsoll.aggregator;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.WireException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What quarantine takes of a partition's unreadable records: as many as a person can look at. Beyond {@value #MOST_RECORDS} records in a
 * minute of append time they are counted, beyond {@value #MOST_BYTES} bytes their bytes stay where they are. When nothing but records of
 * a later release has come for a minute, the partition is to be left alone, so that an upgrade finds them.
 *
 * <p>Pure: what it decides depends on the log alone. Its {@link #note} is committed with what it decided, so that a successor that reads
 * the same records decides the same.
 *
 * @param minute of append time since 1970, the newest seen; an earlier one is never gone back to
 * @param kept records kept in this minute
 * @param keptBytes their bytes
 * @param flooded the newest minute in which records were left out
 * @param leftOut those that were left out in this minute, by reason
 * @param newerSince append time of the first of a row of records of a later release
 * @param newer how many there are in the row
 */
record Breaker(
        long minute,
        int kept,
        long keptBytes,
        long flooded,
        Map<String, LeftOut> leftOut,
        long newerSince,
        long newer) {
    static final int MOST_RECORDS = 100;
    static final int MOST_BYTES = 1 << 20;
    /** As many records of a later release in a row, over as long a time, are an upgrade and no accident. */
    static final int MANY_NEWER = 100;

    static final long NEWER_FOR_MILLIS = 60_000;
    static final long NEVER = Long.MIN_VALUE;
    static final Breaker CLOSED = new Breaker(NEVER, 0, 0, NEVER, Map.of(), 0, 0);
    private static final long MINUTE = 60_000;

    /** Records of one reason that were counted and not kept: their sum, and where the first and the last of them stand. */
    record LeftOut(long first, long last, long records, long bytes, long firstMillis) {
        LeftOut and(Quarantined record) {
            return new LeftOut(first, record.offset(), records + 1, bytes + record.originalBytes(), firstMillis);
        }
    }

    /**
     * What becomes of a record.
     *
     * @param tell what goes to quarantine: the record unless it is only counted, behind what a minute that is over has left out
     * @param floods whether this is the record with which leaving out began
     */
    record Step(Breaker next, List<Quarantined> tell, boolean floods) {
        Step {
            tell = List.copyOf(tell);
        }
    }

    Breaker {
        leftOut = Map.copyOf(leftOut);
    }

    /** Whether nothing is remembered: readable records change nothing. */
    boolean closed() {
        return kept == 0 && newer == 0;
    }

    /** Whether the partition is to be left alone at this record, with nothing decided about it. */
    boolean leavesAt(Quarantined record, long timestampMillis) {
        return record.reason().equals(Reason.NEWER_SCHEMA.name())
                && newer >= MANY_NEWER
                && timestampMillis - newerSince >= NEWER_FOR_MILLIS;
    }

    /** A record came that can be read. */
    Step readable(String topic, int partition, long timestampMillis, boolean tick) {
        Step over = minuteOver(topic, partition, timestampMillis);
        // Ticks are written by aggregators of any release, while they wait for records that they can read.
        return tick ? over : new Step(over.next().withNewer(0, 0), over.tell(), false);
    }

    /** A record came that cannot be read. */
    Step unreadable(Quarantined record, long timestampMillis) {
        boolean ofLater = record.reason().equals(Reason.NEWER_SCHEMA.name());
        Step over = minuteOver(record.topic(), record.partition(), timestampMillis);
        Breaker now = over.next().withNewer(newer > 0 ? newerSince : timestampMillis, ofLater ? newer + 1 : newer);
        List<Quarantined> tell = new ArrayList<>(over.tell());
        if (now.kept >= MOST_RECORDS) {
            Map<String, LeftOut> more = new TreeMap<>(now.leftOut);
            LeftOut none = new LeftOut(record.offset(), record.offset(), 0, 0, timestampMillis);
            more.put(record.reason(), more.getOrDefault(record.reason(), none).and(record));
            Breaker next =
                    new Breaker(now.minute, now.kept, now.keptBytes, now.minute, more, now.newerSince, now.newer);
            return new Step(next, tell, now.flooded < now.minute - 1);
        }
        Quarantined kept = now.keptBytes + record.keptBytes() > MOST_BYTES ? record.withoutBytes() : record;
        tell.add(
                now.kept + 1 < MOST_RECORDS
                        ? kept
                        : kept.adding("; the " + MOST_RECORDS + "th of its minute: further ones are only counted"));
        Breaker next = new Breaker(
                now.minute,
                now.kept + 1,
                now.keptBytes + kept.keptBytes(),
                now.flooded,
                now.leftOut,
                now.newerSince,
                now.newer);
        return new Step(next, tell, false);
    }

    private Breaker withNewer(long since, long records) {
        return new Breaker(minute, kept, keptBytes, flooded, leftOut, records == 0 ? 0 : since, records);
    }

    private Step minuteOver(String topic, int partition, long timestampMillis) {
        long newest = Math.floorDiv(timestampMillis, MINUTE);
        if (newest <= minute) {
            return new Step(this, List.of(), false);
        }
        List<Quarantined> tell = new ArrayList<>();
        new TreeMap<>(leftOut)
                .forEach((reason, left) -> tell.add(new Quarantined(
                        Quarantined.Kind.LEFT_OUT,
                        topic,
                        partition,
                        left.first(),
                        left.firstMillis(),
                        "",
                        reason,
                        "more than " + MOST_RECORDS + " in a minute",
                        "",
                        (int) Math.min(Integer.MAX_VALUE, left.bytes()),
                        left.records(),
                        left.last())));
        return new Step(new Breaker(newest, 0, 0, flooded, Map.of(), newerSince, newer), tell, false);
    }

    /** This in a line of text, to be committed. */
    String note() {
        if (equals(CLOSED)) {
            return "";
        }
        StringBuilder note = new StringBuilder(
                "q1 " + minute + ' ' + kept + ' ' + keptBytes + ' ' + flooded + ' ' + newerSince + ' ' + newer);
        new TreeMap<>(leftOut)
                .forEach((reason, left) -> note.append(' '
                        + reason
                        + ':'
                        + left.first()
                        + ':'
                        + left.last()
                        + ':'
                        + left.records()
                        + ':'
                        + left.bytes()
                        + ':'
                        + left.firstMillis()));
        return note.toString();
    }

    /** What a note says; of one of another release, or of none, nothing is known. */
    static Breaker of(String note) {
        return parse(note).orElse(CLOSED);
    }

    private static Optional<Breaker> parse(String note) {
        String[] words = note.split(" ", -1);
        if (words.length < 7 || !words[0].equals("q1")) {
            return Optional.empty();
        }
        try {
            Map<String, LeftOut> leftOut = new TreeMap<>();
            for (int i = 7; i < words.length; i++) {
                String[] parts = words[i].split(":", -1);
                leftOut.put(
                        parts[0],
                        new LeftOut(
                                Long.parseLong(parts[1]),
                                Long.parseLong(parts[2]),
                                Long.parseLong(parts[3]),
                                Long.parseLong(parts[4]),
                                Long.parseLong(parts[5])));
            }
            return Optional.of(new Breaker(
                    Long.parseLong(words[1]),
                    Integer.parseInt(words[2]),
                    Long.parseLong(words[3]),
                    Long.parseLong(words[4]),
                    leftOut,
                    Long.parseLong(words[5]),
                    Long.parseLong(words[6])));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }
}
