package dev.plimsoll.wire.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.internals.KafkaFutureImpl;

/** Answers what a loop asks of logs and offsets, at some moment between question and answer. */
final class SimBrokers implements Brokers {
    private final SimWorld world;
    private final SimProcess process;

    SimBrokers(SimWorld world, SimProcess process) {
        this.world = world;
        this.process = process;
    }

    @Override
    public KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> offsets(Map<TopicPartition, OffsetSpec> asked) {
        return answer(() -> {
            Map<TopicPartition, ListOffsetsResultInfo> found = new HashMap<>();
            asked.forEach((partition, spec) -> {
                SimLog log = world.log(partition);
                boolean latest = spec instanceof OffsetSpec.LatestSpec;
                long offset = latest ? log.stable() : log.start();
                if (!latest) {
                    process.sawStart(partition, offset);
                }
                found.put(partition, new ListOffsetsResultInfo(offset, -1, Optional.empty()));
            });
            return found;
        });
    }

    @Override
    public KafkaFuture<TopicDescription> topic(String name) {
        return answer(() -> world.description(name));
    }

    @Override
    public KafkaFuture<Map<TopicPartition, OffsetAndMetadata>> committed(TopicPartition partition) {
        return answer(() -> {
            Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
            if (world.transactions().unstable(partition)) {
                world.happened(SimFault.UNSTABLE_OFFSET);
            } else {
                found.put(partition, world.transactions().committed().get(partition));
            }
            return found;
        });
    }

    private <T> KafkaFuture<T> answer(Supplier<T> look) {
        process.step();
        KafkaFutureImpl<T> answer = new KafkaFutureImpl<>();
        long timeout = ClientProperties.CALL_TIMEOUT.toNanos();
        if (world.awayFor() > timeout || world.draw(SimFault.QUESTION_UNANSWERED)) {
            world.happened(SimFault.QUESTION_UNANSWERED);
            world.scheduler().after(timeout, () -> answer.completeExceptionally(new TimeoutException("simulated")));
            return answer;
        }
        long to = world.awayFor() + world.delay() + (world.draw(SimFault.DELAYED) ? world.between(0, timeout / 2) : 0);
        long back = world.delay();
        world.scheduler().after(to, () -> {
            T found = look.get();
            world.scheduler().after(back, () -> answer.complete(found));
        });
        return answer;
    }

    @Override
    public void close() {}
}
