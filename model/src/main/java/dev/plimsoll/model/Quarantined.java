package dev.plimsoll.model;

/**
 * A record that could not be read or used, kept with its original bytes.
 *
 * @param reason a stable word such as {@code SCHEMA}
 * @param bytes the first bytes of the value, {@code ≤ 64 KiB}, as hexadecimal text so that every tool shows them
 * @param originalBytes length of the whole value
 */
public record Quarantined(
        String topic, int partition, long offset, String reason, String detail, String bytes, int originalBytes) {
    /** The most bytes of a value that are kept. */
    public static final int KEPT_BYTES = 64 * 1024;

    /** One line for people. */
    public String summary() {
        return reason + " " + topic + "-" + partition + "@" + offset + ": " + detail;
    }
}
