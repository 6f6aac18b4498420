package dev.plimsoll.wire.kafka;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;

/** Makes our Kafka clients, all of them: each is told of when it opens and closes, and why it cannot be made is told the same way. */
final class Clients {
    private Clients() {}

    /** @throws KafkaSetupException when the settings are no good */
    static KafkaConsumer<byte[], ByteBuffer> consumer(KafkaSettings settings, Map<String, Object> properties) {
        KafkaConsumer<byte[], ByteBuffer> consumer =
                make(settings, () -> new ToldConsumer(properties, settings.listener()));
        settings.listener().onOpened(consumer);
        return consumer;
    }

    /** @throws KafkaSetupException when the settings are no good */
    static KafkaProducer<byte[], byte[]> producer(KafkaSettings settings, Map<String, Object> properties) {
        KafkaProducer<byte[], byte[]> producer =
                make(settings, () -> new ToldProducer(properties, settings.listener()));
        settings.listener().onOpened(producer);
        return producer;
    }

    /** @throws KafkaSetupException when the settings are no good */
    static Admin admin(KafkaSettings settings, Map<String, Object> properties) {
        return make(settings, () -> Admin.create(properties));
    }

    private static <C> C make(KafkaSettings settings, Supplier<C> client) {
        try {
            return client.get();
        } catch (KafkaException e) {
            throw new KafkaSetupException(settings.bootstrapServers(), e);
        }
    }

    private static final class ToldConsumer extends KafkaConsumer<byte[], ByteBuffer> {
        private final ClientListener listener;

        ToldConsumer(Map<String, Object> properties, ClientListener listener) {
            super(properties);
            this.listener = listener;
        }

        @Override
        public void close(CloseOptions options) {
            listener.onClosing(this);
            super.close(options);
        }
    }

    private static final class ToldProducer extends KafkaProducer<byte[], byte[]> {
        private final ClientListener listener;

        ToldProducer(Map<String, Object> properties, ClientListener listener) {
            super(properties);
            this.listener = listener;
        }

        @Override
        public void close(Duration timeout) {
            listener.onClosing(this);
            super.close(timeout);
        }
    }
}
