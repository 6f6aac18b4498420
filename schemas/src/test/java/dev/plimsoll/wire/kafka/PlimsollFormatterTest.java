package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.wire.Topic;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What Kafka's console consumer prints of our topics. */
final class PlimsollFormatterTest {
    private static final byte[] END = Topic.SAMPLES.encode(new End(new Deployment("d"), 7));

    private static String print(Map<String, String> properties, String topic, byte @Nullable [] value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (PlimsollFormatter formatter = new PlimsollFormatter();
                PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8)) {
            formatter.configure(properties);
            formatter.writeTo(new ConsumerRecord<>(topic, 3, 42, new byte[] {'d'}, value), print);
        }
        return out.toString(StandardCharsets.UTF_8).strip();
    }

    @Test
    void recordsAreOneLine() {
        assertThat(print(Map.of(), Topic.SAMPLES.name(), END)).isEqualTo("END d incarnation 7");
        assertThat(print(
                        Map.of("print.offset", "true", "print.partition", "true", "print.key", "true"),
                        Topic.SAMPLES.name(),
                        END))
                .isEqualTo("p3 @42 d END d incarnation 7");
        assertThat(print(Map.of("print.json", "true"), Topic.SAMPLES.name(), END))
                .isEqualTo("{\"summary\":\"END d incarnation 7\",\"deployment\":\"d\",\"incarnation\":7}");
    }

    @Test
    void whatCannotBePrintedIsSaid() {
        assertThat(print(Map.of(), "other", END)).isEqualTo("(other is not a topic of Plimsoll)");
        assertThat(print(Map.of(), Topic.PLAN.name(), END)).startsWith("(unreadable: UNKNOWN_SCHEMA schema id 170004");
        assertThat(print(Map.of(), Topic.MEMBERS.name(), null)).isEqualTo("(deleted)");
    }
}
