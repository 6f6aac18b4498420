package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/** Makes the clients of a loop; whoever asks for one owns and closes it. */
interface LoopClients {
    /** The member of the group, which reads the input. */
    Consumer<byte[], ByteBuffer> member();

    /** The reader of everything else. */
    Consumer<byte[], ByteBuffer> reader();

    /** A writer of a partition's transactions, which has not fenced its predecessor yet. */
    Producer<byte[], byte[]> writer(int partition);

    Brokers brokers();

    /** The real ones. */
    record OfKafka(KafkaSettings settings, String role, Function<Map<String, Object>, Producer<byte[], byte[]>> writers)
            implements LoopClients {
        @Override
        public Consumer<byte[], ByteBuffer> member() {
            return Clients.consumer(
                    settings, ClientProperties.member(settings, Topic.PREFIX + role, "plimsoll-" + role));
        }

        @Override
        public Consumer<byte[], ByteBuffer> reader() {
            return Clients.consumer(
                    settings, ClientProperties.reader(settings, "plimsoll-" + role + "-reader", "none"));
        }

        @Override
        public Producer<byte[], byte[]> writer(int partition) {
            return writers.apply(Commit.writerProperties(settings, "plimsoll-" + role + "-" + partition));
        }

        @Override
        public Brokers brokers() {
            return new AdminBrokers(settings, role);
        }
    }
}
