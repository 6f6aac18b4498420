package dev.plimsoll.app.docs;

import dev.plimsoll.wire.kafka.KafkaSettings;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/** Which of Kafka's client properties are refused with a value that is not ours: found by trying each. */
final class RefusedProperties {
    private RefusedProperties() {}

    static String text() {
        Set<String> names = new TreeSet<>(ConsumerConfig.configNames());
        names.addAll(ProducerConfig.configNames());
        names.addAll(AdminClientConfig.configNames());
        return names.stream()
                .filter(RefusedProperties::refused)
                .map(name -> "`" + name + "`")
                .collect(Collectors.joining(",\n"));
    }

    private static boolean refused(String name) {
        try {
            new KafkaSettings("localhost:9092", Map.of(name, "another"));
            return false;
        } catch (IllegalArgumentException e) {
            return true;
        }
    }
}
