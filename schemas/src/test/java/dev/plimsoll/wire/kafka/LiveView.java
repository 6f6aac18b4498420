package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import reactor.core.Disposable;

/** All committed records of a topic as they come. */
final class LiveView<T> implements AutoCloseable {
    private final List<T> values = new CopyOnWriteArrayList<>();
    private final Disposable subscription;

    LiveView(KafkaSettings settings, Topic<T> topic) {
        subscription = TopicReader.records(settings, topic, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(record -> values.add(record.value()));
    }

    List<T> values() {
        return values;
    }

    @Override
    public void close() {
        subscription.dispose();
    }
}
