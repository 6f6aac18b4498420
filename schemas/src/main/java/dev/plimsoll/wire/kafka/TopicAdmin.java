package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.List;

/** Makes and checks the topics of the catalogue. Calls block, bounded by the timeout. */
public final class TopicAdmin implements AutoCloseable {

    /**
     * A topic as it is on the cluster.
     *
     * @param partitions 0 when it is not there
     * @param records records over all partitions, from first to last offset
     * @param differences how its settings differ from the catalogue, in words; empty when they do not
     */
    public record Status(Topic<?> topic, int partitions, int replicas, long records, List<String> differences) {}

    public TopicAdmin(KafkaSettings settings, Duration timeout) {
        throw new UnsupportedOperationException();
    }

    /** Makes the topics that are missing; never changes one that is there. Returns the names of those made. */
    public List<String> create(int partitions, int replicas) {
        throw new UnsupportedOperationException();
    }

    public List<Status> status() {
        throw new UnsupportedOperationException();
    }

    /** What about the cluster is not as we need it (transaction version below 2, a broker that cannot be reached …), in words. */
    public List<String> warnings() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
