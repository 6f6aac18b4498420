package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What users may set of clients, and what they may not. */
final class ClientPropertiesTest {
    private static KafkaSettings with(String key, String value) {
        return new KafkaSettings("h:1", Map.of(key, value));
    }

    @ParameterizedTest
    @CsvSource({
        "enable.auto.commit,true",
        "isolation.level,read_uncommitted",
        "transactional.id,mine",
        "group.id,mine",
        "acks,1",
        "enable.idempotence,false",
        "auto.offset.reset,latest",
        "value.deserializer,x.Y",
        "key.serializer,x.Y",
        "bootstrap.servers,other:1",
        "request.timeout.ms,30000",
        "default.api.timeout.ms,60000",
        "max.block.ms,60000",
        "delivery.timeout.ms,120000",
        "linger.ms,20",
        "client.id,mine"
    })
    void contradictionsAreRefusedByName(String key, String value) {
        assertThatThrownBy(() -> with(key, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(key + "=" + value);
    }

    @Test
    void whatWeSetAnywayMayBeSaid() {
        assertThat(ClientProperties.member(with("isolation.level", "read_committed"), "g", "c"))
                .containsEntry("isolation.level", "read_committed")
                .containsEntry("enable.auto.commit", false)
                .containsEntry("auto.offset.reset", "none");
    }

    @Test
    void securityReachesEveryClientAndTuningThoseThatKnowIt() {
        KafkaSettings settings = new KafkaSettings(
                "h:1", Map.of("security.protocol", "SSL", "fetch.max.bytes", "7", "x.plugin.setting", "y"));
        assertThat(ClientProperties.idempotent(
                        settings, "c", Duration.ofSeconds(1), TopicWriter.Compression.FOR_EVERYBODY))
                .containsEntry("security.protocol", "SSL")
                .containsEntry("x.plugin.setting", "y")
                .doesNotContainKey("fetch.max.bytes");
        assertThat(ClientProperties.reader(settings, "c", "earliest")).containsEntry("fetch.max.bytes", "7");
        assertThat(ClientProperties.admin(settings, Duration.ofSeconds(1))).containsEntry("security.protocol", "SSL");
    }

    @Test
    void theNewGroupProtocolGetsNoSettingsThatItRefuses() {
        assertThat(ClientProperties.member(with("group.protocol", "consumer"), "g", "c"))
                .containsEntry("group.protocol", "consumer")
                .doesNotContainKeys("session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy");
        assertThat(ClientProperties.reader(with("group.instance.id", "i"), "c", "none"))
                .doesNotContainKey("group.instance.id");
    }

    /** Whatever we put over a user's property must be refused, or it would be overwritten in silence. */
    @Test
    void noPropertyThatIsNotRefusedIsOverwritten() {
        Set<String> names = new TreeSet<>(ConsumerConfig.configNames());
        names.addAll(ProducerConfig.configNames());
        names.addAll(AdminClientConfig.configNames());
        for (String name : names) {
            String value = name.equals("group.protocol") ? "consumer" : "marked";
            KafkaSettings settings;
            try {
                settings = with(name, value);
            } catch (IllegalArgumentException refused) {
                continue;
            }
            honoured(name, value, ConsumerConfig.configNames(), ClientProperties.member(settings, "g", "c"));
            honoured(
                    name,
                    value,
                    ProducerConfig.configNames(),
                    ClientProperties.idempotent(
                            settings, "c", Duration.ofSeconds(1), TopicWriter.Compression.FOR_EVERYBODY));
            honoured(
                    name,
                    value,
                    ProducerConfig.configNames(),
                    ClientProperties.transactional(settings, "t", Duration.ofSeconds(1)));
            honoured(
                    name,
                    value,
                    AdminClientConfig.configNames(),
                    ClientProperties.admin(settings, Duration.ofSeconds(1)));
        }
    }

    private static void honoured(String name, String value, Set<String> known, Map<String, Object> properties) {
        if (known.contains(name)) {
            assertThat(properties).containsEntry(name, value);
        }
    }

    @ParameterizedTest
    @CsvSource({"session.timeout.ms,10000", "heartbeat.interval.ms,2000", "partition.assignment.strategy,x.Y"})
    void whatTheBrokerDecidesUnderTheNewProtocolIsRefusedWithItAndTakenWithout(String key, String value) {
        assertThatThrownBy(() -> new KafkaSettings("h:1", Map.of(key, value, "group.protocol", "consumer")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(key + "=" + value)
                .hasMessageContaining("the broker decides");
        assertThat(ClientProperties.member(with(key, value), "g", "c")).containsEntry(key, value);
    }

    @Test
    void requestsEndBeforeDeliveryDoes() {
        for (int millis : new int[] {100, 1000, 60_000}) {
            Map<String, Object> properties = ClientProperties.idempotent(
                    KafkaSettings.of("h:1"), "c", Duration.ofMillis(millis), TopicWriter.Compression.FOR_EVERYBODY);
            assertThat(properties)
                    .hasEntrySatisfying(
                            "request.timeout.ms",
                            request -> assertThat((Integer) request).isLessThanOrEqualTo(millis - 5))
                    .containsEntry("linger.ms", 5);
        }
    }
}
