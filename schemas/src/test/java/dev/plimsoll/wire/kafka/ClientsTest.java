package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** How clients come to be: what Kafka finds wrong with the settings is said, and every client is told of. */
final class ClientsTest {
    private static final Map<String, String> SASL =
            Map.of("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN");

    static Stream<Arguments> wrong() {
        return Stream.of(
                Arguments.of(
                        "localhost", Map.of(), "Invalid url in bootstrap.servers: localhost; name every broker as"),
                Arguments.of("nohost.invalid:9092", Map.of(), "No resolvable bootstrap urls"),
                Arguments.of("localhost:1", SASL, "Could not find a 'KafkaClient' entry in the JAAS configuration"),
                Arguments.of(
                        "localhost:1", with(SASL, "sasl.jaas.config", "x.Y required;"), "No LoginModule found for x.Y"),
                Arguments.of(
                        "localhost:1",
                        Map.of("security.protocol", "SSL", "ssl.truststore.location", "/no/such.jks"),
                        "Failed to load SSL keystore /no/such.jks"),
                Arguments.of("localhost:1", Map.of("security.protocol", "FOO"), "Invalid value FOO"));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void settingsThatMakeNoClientAreRefusedWithKafkasOwnCause(
            String servers, Map<String, String> properties, String cause) {
        KafkaSettings settings = new KafkaSettings(servers, properties);

        assertThatThrownBy(() -> new TopicAdmin(settings, Duration.ofSeconds(1)))
                .isInstanceOf(KafkaSetupException.class)
                .hasMessageStartingWith("no Kafka client can be made for " + servers)
                .hasMessageContaining(cause);
        assertThatThrownBy(() -> Clients.consumer(settings, ClientProperties.member(settings, "g", "c")))
                .isInstanceOf(KafkaSetupException.class)
                .hasMessageContaining(cause);
        assertThatThrownBy(
                        () -> TopicReader.records(settings, Topic.PLAN, new TopicReader.Start.Beginning(), record -> {})
                                .blockFirst(Duration.ofSeconds(10)))
                .isInstanceOf(KafkaSetupException.class)
                .hasMessageContaining(cause);
        try (TopicWriter writer = new TopicWriter(settings, "w", 1, Duration.ofSeconds(1))) {
            Deployment deployment = new Deployment("d");
            assertThatThrownBy(() -> writer.write(
                                    Output.of(Topic.SAMPLES, deployment, (SampleRecord) new Tick(deployment)))
                            .block(Duration.ofSeconds(10)))
                    .isInstanceOf(KafkaSetupException.class)
                    .hasMessageContaining(cause);
        }
    }

    @Test
    void whatCannotBeMadeIsNotTriedAgain() {
        assertThatThrownBy(() -> new TopicAdmin(KafkaSettings.of("localhost"), Duration.ofSeconds(1)))
                .satisfies(failure -> assertThat(KafkaFailure.of(failure)).isEqualTo(KafkaFailure.FATAL));
    }

    @Test
    void everyClientIsToldOfWhenItOpensAndOnceWhenItCloses() {
        Counting counting = new Counting();
        KafkaSettings settings = KafkaSettings.of("127.0.0.1:1").told(counting);
        var consumer = Clients.consumer(settings, ClientProperties.reader(settings, "c", "earliest"));
        var producer = Clients.producer(
                settings,
                ClientProperties.idempotent(
                        settings, "p", Duration.ofSeconds(1), TopicWriter.Compression.FOR_EVERYBODY));
        assertThat(counting.open).isEqualTo(2);
        consumer.close(CloseOptions.timeout(Duration.ZERO));
        producer.close(Duration.ZERO);
        assertThat(counting.open).isZero();

        // and as a resource of a try statement
        try (var third =
                Clients.producer(settings, ClientProperties.transactional(settings, "t", Duration.ofSeconds(1)))) {
            assertThat(third.metrics()).isNotEmpty();
            assertThat(counting.open).isEqualTo(1);
        }
        assertThat(counting.open).isZero();
    }

    private static Map<String, String> with(Map<String, String> properties, String key, String value) {
        Map<String, String> all = new java.util.HashMap<>(properties);
        all.put(key, value);
        return all;
    }

    private static final class Counting implements ClientListener {
        int open;

        @Override
        public void onOpened(Consumer<?, ?> client) {
            open++;
        }

        @Override
        public void onOpened(Producer<?, ?> client) {
            open++;
        }

        @Override
        public void onClosing(AutoCloseable client) {
            open--;
        }
    }
}
