package dev.plimsoll.app.docs;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;

/** The topics as {@code plimsoll topics create} makes them. */
final class TopicTable {
    private TopicTable() {}

    static String text() {
        return Topic.all().stream()
                .map(topic ->
                        "| `%s` | %s | %s |\n".formatted(topic.name(), kept(topic.settings()), topic.description()))
                .collect(Collectors.joining("", "| topic | kept | what stands in it |\n|---|---|---|\n", ""));
    }

    private static String kept(Map<String, String> settings) {
        if ("compact".equals(settings.get("cleanup.policy"))) {
            return "newest per key";
        }
        Duration kept = Duration.ofMillis(Long.parseLong(settings.getOrDefault("retention.ms", "0")));
        return kept.toDays() == 365 ? "1 y" : kept.toDays() > 1 ? kept.toDays() + " d" : kept.toHours() + " h";
    }
}
