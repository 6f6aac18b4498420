package dev.plimsoll.model;

/**
 * What quarantine says of a record that could not be read or used, with the first of its bytes; or of several that were only counted.
 *
 * <p>Texts come from whoever wrote the record: control characters become {@code ?}, and what is longer than its bound is cut.
 *
 * @param kind what is said; the other parameters are of the record that could not be used, whatever the kind
 * @param timestampMillis when the broker appended the record, 0 where that is not known
 * @param key the record's key as text, at most 200 characters; empty where it had none
 * @param reason a stable word such as {@code FRAME}
 * @param detail why, in words; at most 500 characters
 * @param bytes the first bytes of the value, {@code ≤ 64 KiB}, as hexadecimal text so that every tool shows them
 * @param originalBytes length of the whole value
 * @param records for how many records this stands: 1, or more of those that were left out
 * @param lastOffset offset of the last of them
 */
public record Quarantined(
        Kind kind,
        String topic,
        int partition,
        long offset,
        long timestampMillis,
        String key,
        String reason,
        String detail,
        String bytes,
        int originalBytes,
        long records,
        long lastOffset) {
    /** The most bytes of a value that are kept. */
    public static final int KEPT_BYTES = 64 * 1024;

    private static final int MOST_OF_DETAIL = 500;
    private static final int MOST_OF_KEY = 200;

    /** What quarantine says. */
    public enum Kind {
        /** One record could not be read or used. */
        RECORD,
        /** Too many came at once: of those from the first offset to the last, so many were counted and not kept. */
        LEFT_OUT,
        /** The record was written to its topic again. */
        REPLAYED
    }

    public Quarantined {
        if (partition < 0 || offset < 0 || originalBytes < 0 || records < 1 || lastOffset < offset) {
            throw new IllegalArgumentException("a quarantined record of partition " + partition + " at offset " + offset
                    + " to " + lastOffset + ", " + records + " of them with " + originalBytes + " bytes: none is"
                    + " negative, and there is at least one");
        }
        key = ForeignText.of(key, MOST_OF_KEY);
        reason = ForeignText.of(reason, MOST_OF_KEY);
        detail = ForeignText.of(detail, MOST_OF_DETAIL);
    }

    /** One record that was just met. */
    public Quarantined(
            String topic,
            int partition,
            long offset,
            long timestampMillis,
            String key,
            String reason,
            String detail,
            String bytes,
            int originalBytes) {
        this(
                Kind.RECORD,
                topic,
                partition,
                offset,
                timestampMillis,
                key,
                reason,
                detail,
                bytes,
                originalBytes,
                1,
                offset);
    }

    /** The same record without its bytes. */
    public Quarantined withoutBytes() {
        return new Quarantined(
                kind,
                topic,
                partition,
                offset,
                timestampMillis,
                key,
                reason,
                detail,
                "",
                originalBytes,
                records,
                lastOffset);
    }

    /** The same, and something more on why. */
    public Quarantined adding(String words) {
        return new Quarantined(
                kind,
                topic,
                partition,
                offset,
                timestampMillis,
                key,
                reason,
                ForeignText.of(detail, MOST_OF_DETAIL - words.length()) + words,
                bytes,
                originalBytes,
                records,
                lastOffset);
    }

    /** What is said once the record has been written again. */
    public Quarantined replayed(String words) {
        return new Quarantined(
                Kind.REPLAYED,
                topic,
                partition,
                offset,
                timestampMillis,
                key,
                reason,
                words,
                "",
                originalBytes,
                1,
                offset);
    }

    /** Bytes of the value that are kept here. */
    public int keptBytes() {
        return bytes.length() / 2;
    }

    /** Where the record stood, such as {@code plimsoll.samples.v1-3@210}. */
    public String place() {
        return topic + "-" + partition + "@" + offset;
    }

    /** One line for people. */
    public String summary() {
        return switch (kind) {
            case RECORD -> reason + " " + place() + ": " + detail;
            case LEFT_OUT -> reason + " " + place() + " to " + lastOffset + ": " + records + " records left out";
            case REPLAYED -> "REPLAYED " + reason + " " + place() + ": " + detail;
        };
    }
}
