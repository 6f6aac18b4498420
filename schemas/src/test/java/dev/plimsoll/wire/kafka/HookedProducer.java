package dev.plimsoll.wire.kafka;

import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;

/** A real producer that lets a test do something just before and after it fences and commits. */
class HookedProducer extends KafkaProducer<byte[], byte[]> {
    private final String transactionalId;

    HookedProducer(Map<String, Object> properties) {
        super(properties);
        transactionalId = String.valueOf(properties.get(ProducerConfig.TRANSACTIONAL_ID_CONFIG));
    }

    void beforeFence(String id) {}

    void beforeCommit(String id) {}

    void afterCommit(String id) {}

    @Override
    public void initTransactions() {
        beforeFence(transactionalId);
        super.initTransactions();
    }

    @Override
    public void commitTransaction() {
        beforeCommit(transactionalId);
        commitWithoutHooks();
        afterCommit(transactionalId);
    }

    void commitWithoutHooks() {
        super.commitTransaction();
    }
}
