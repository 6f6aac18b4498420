package dev.plimsoll.app.quarantine;

import dev.plimsoll.model.Quarantined;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The bytes of a quarantined record that can be had.
 *
 * @param bytes all of them, or the first
 * @param whole whether they are all
 * @param stands whether they were read where the record stood, which is still there
 * @param words where they are from
 */
public record Source(byte[] bytes, boolean whole, boolean stands, String words) {
    /**
     * Compares what stands at the record's place with what was kept of it: a topic may have been made anew.
     *
     * @param now the value that stands at the place now, empty when none does
     */
    public static Source of(Quarantined record, Optional<byte[]> now) {
        byte[] kept = HexFormat.of().parseHex(record.bytes());
        if (now.isPresent() && isOf(record, kept, now.get())) {
            return new Source(now.get(), true, true, "it stands in its topic");
        }
        String gone = now.isPresent()
                ? "another record stands at its place, as when a topic was made anew"
                : "its topic does not have it any more";
        boolean whole = kept.length == record.originalBytes() && kept.length > 0;
        return new Source(
                kept,
                whole,
                false,
                gone + "; "
                        + (whole
                                ? "all its bytes are kept"
                                : kept.length + " of its " + record.originalBytes() + " bytes are kept"));
    }

    private static boolean isOf(Quarantined record, byte[] kept, byte[] now) {
        return now.length == record.originalBytes()
                && kept.length <= now.length
                && Arrays.equals(kept, 0, kept.length, now, 0, kept.length);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Source source
                && Arrays.equals(bytes, source.bytes)
                && whole == source.whole
                && stands == source.stands
                && words.equals(source.words);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return words;
    }
}
