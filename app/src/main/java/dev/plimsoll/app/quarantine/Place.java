package dev.plimsoll.app.quarantine;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a record stands or stood, such as {@code plimsoll.samples.v1-3@210}. */
public record Place(String topic, int partition, long offset) implements Comparable<Place> {
    private static final Pattern FORM = Pattern.compile("(?:(.+)-)?(\\d{1,9})@(\\d{1,18})");
    private static final Comparator<Place> ORDER =
            Comparator.comparing(Place::topic).thenComparing(Place::partition).thenComparing(Place::offset);

    /** Where a record stood that is told of in quarantine. */
    public static Place of(Quarantined record) {
        return new Place(record.topic(), record.partition(), record.offset());
    }

    /**
     * Reads {@code TOPIC-PARTITION@OFFSET}; the topic may be given in short ({@code samples}) or left out, as samples are what is
     * quarantined.
     */
    public static Place parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a place: write PARTITION@OFFSET, such as 3@210, or " + Topic.SAMPLES.name()
                            + "-3@210 as 'quarantine list' does");
        }
        String topic = matcher.group(1) == null ? Topic.SAMPLES.name() : full(matcher.group(1));
        return new Place(topic, Integer.parseInt(matcher.group(2)), Long.parseLong(matcher.group(3)));
    }

    private static String full(String name) {
        return Topic.all().stream()
                .map(topic -> topic.name())
                .filter(full -> full.equals(name) || full.matches(Pattern.quote(Topic.PREFIX + name) + "\\.v\\d+"))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no topic '" + name + "'"));
    }

    @Override
    public int compareTo(Place other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return topic + "-" + partition + "@" + offset;
    }
}
