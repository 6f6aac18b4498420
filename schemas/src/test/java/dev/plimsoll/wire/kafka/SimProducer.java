package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.jspecify.annotations.Nullable;

/** A transactional producer, of what a {@link Commit} and a {@link TakeOver} use of one. */
final class SimProducer {
    private enum State {
        NEW,
        READY,
        IN_TRANSACTION,
        /** Nothing but an abort would work. */
        ABORTABLE,
        /** Nothing will work. */
        BROKEN,
        CLOSED
    }

    private record Send(ProducerRecord<byte[], byte[]> record, CompletableFuture<RecordMetadata> answer) {}

    private final SimWorld world;
    private final SimProcess process;
    private final int partition;
    private final String id;
    private final long timeoutNanos;
    private final long deliveryNanos;
    private final long transactionNanos;
    private final List<Send> buffer = new ArrayList<>();
    private State state = State.NEW;
    /** Between the first send and the flush, which tells what became of them. */
    private boolean sending;

    private int epoch = -1;
    private @Nullable SimRequest<Integer> pending;
    private @Nullable String pendingCall;

    SimProducer(SimWorld world, SimProcess process, int partition, Map<String, Object> properties) {
        this.world = world;
        this.process = process;
        this.partition = partition;
        this.id = String.valueOf(properties.get("transactional.id"));
        this.timeoutNanos = nanos(properties, "max.block.ms");
        this.deliveryNanos = nanos(properties, "delivery.timeout.ms");
        this.transactionNanos = nanos(properties, "transaction.timeout.ms");
        process.opened(this);
    }

    private static long nanos(Map<String, Object> properties, String key) {
        return Duration.ofMillis(Long.parseLong(String.valueOf(properties.get(key))))
                .toNanos();
    }

    @SuppressWarnings("unchecked")
    Producer<byte[], byte[]> client() {
        return SimClient.of(Producer.class, this);
    }

    public void initTransactions() {
        process.step();
        if (state != State.NEW) {
            throw new IllegalStateException("initTransactions of a producer that is " + state);
        }
        if (world.draw(SimFault.FORBIDDEN)) {
            world.happened(SimFault.FORBIDDEN);
            throw new TopicAuthorizationException("simulated");
        }
        epoch = blocking("initTransactions", () -> world.transactions().init(id, transactionNanos));
        state = State.READY;
    }

    public void beginTransaction() {
        use();
        if (state != State.READY || pending != null) {
            throw new IllegalStateException("beginTransaction of a producer that is " + state);
        }
        state = State.IN_TRANSACTION;
        process.memberClient().busy(partition, true);
    }

    public List<PartitionInfo> partitionsFor(String topic) {
        process.step();
        if (world.awayFor() > 0 || world.draw(SimFault.TIMED_OUT_LOST)) {
            world.happened(SimFault.TIMED_OUT_LOST);
            process.sleep(timeoutNanos);
            throw new TimeoutException("simulated");
        }
        return Collections.nCopies(world.partitions(), new PartitionInfo(topic, 0, null, null, null));
    }

    /** E5: whatever a producer has thrown, but for a time-out, it is not used any more. */
    private void use() {
        process.step();
        if (state == State.BROKEN || state == State.ABORTABLE && !sending) {
            world.violated("E5: " + this + " is used after it has failed");
        }
    }

    public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record) {
        sending = true;
        use();
        CompletableFuture<RecordMetadata> answer = new CompletableFuture<>();
        if (state != State.IN_TRANSACTION) {
            answer.completeExceptionally(new KafkaException("send of a producer that is " + state));
            return answer;
        }
        if (world.draw(SimFault.TOO_LARGE)) {
            world.happened(SimFault.TOO_LARGE);
            fail(State.ABORTABLE);
            answer.completeExceptionally(new RecordTooLargeException("simulated"));
            return answer;
        }
        buffer.add(new Send(record, answer));
        return answer;
    }

    public void flush() {
        use();
        sending = false;
        for (Send send : List.copyOf(buffer)) {
            if (state != State.IN_TRANSACTION) {
                send.answer().completeExceptionally(new KafkaException("the transaction is over"));
                continue;
            }
            try {
                deliver(send);
            } catch (RuntimeException e) {
                fail(e instanceof TimeoutException ? State.ABORTABLE : State.BROKEN);
                send.answer().completeExceptionally(e);
            }
        }
        buffer.clear();
    }

    private void deliver(Send send) {
        if (world.draw(SimFault.BROKEN_PRODUCER)) {
            world.happened(SimFault.BROKEN_PRODUCER);
            throw new OutOfOrderSequenceException("simulated");
        }
        ProducerRecord<byte[], byte[]> record = send.record();
        TopicPartition to = new TopicPartition(record.topic(), record.partition());
        boolean[] written = {false};
        new SimRequest<>(world, process, id + " writes to " + to, () -> {
                    // Brokers know a batch by its sequence when it comes again.
                    if (!written[0]) {
                        world.transactions().produce(id, epoch, to, record.key(), record.value(), world.millis());
                        written[0] = true;
                    }
                    return 0;
                })
                .call(deliveryNanos);
        send.answer().complete(new RecordMetadata(to, 0, 0, 0, 0, 0));
    }

    public void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata member) {
        use();
        if (state != State.IN_TRANSACTION) {
            throw new KafkaException("sendOffsetsToTransaction of a producer that is " + state);
        }
        if (world.draw(SimFault.ABORTABLE)) {
            world.happened(SimFault.ABORTABLE);
            fail(State.ABORTABLE);
            throw new org.apache.kafka.common.errors.TransactionAbortableException("simulated");
        }
        offsets.keySet().forEach(offset -> process.memberClient().checkOwner(offset.partition(), member));
        int now = epoch;
        var unused = blocking("sendOffsetsToTransaction", () -> {
            offsets.forEach((to, offset) -> {
                world.group().check(member, to.partition());
                world.transactions().commitOffset(id, now, to, offset);
            });
            return 0;
        });
    }

    public void commitTransaction() {
        use();
        if (state != State.IN_TRANSACTION) {
            throw new KafkaException("commitTransaction of a producer that is " + state);
        }
        int now = epoch;
        try {
            epoch = blocking("commitTransaction", () -> world.transactions().end(id, now, true));
        } catch (TimeoutException e) {
            world.happened(
                    pending != null && pending.arrived()
                            ? SimFault.COMMIT_TIMED_OUT_COMMITTED
                            : SimFault.COMMIT_TIMED_OUT_OPEN);
            throw e;
        }
        state = State.READY;
        process.memberClient().busy(partition, false);
    }

    /** The same call made again goes on with its request, as no other call may be made. */
    private int blocking(String call, Supplier<Integer> effect) {
        if (pending != null && !call.equals(pendingCall)) {
            throw new IllegalStateException(call + " while " + pendingCall + " has timed out and must be retried");
        }
        SimRequest<Integer> asked = pending;
        try {
            int answer;
            if (asked == null) {
                asked = new SimRequest<>(world, process, id + " " + call, effect);
                pending = asked;
                pendingCall = call;
                answer = asked.call(timeoutNanos);
            } else {
                answer = asked.again(timeoutNanos);
            }
            pending = null;
            return answer;
        } catch (TimeoutException e) {
            throw e;
        } catch (RuntimeException e) {
            pending = null;
            fail(e instanceof org.apache.kafka.clients.consumer.CommitFailedException ? State.ABORTABLE : State.BROKEN);
            throw e;
        }
    }

    private void fail(State how) {
        state = how;
    }

    int partition() {
        return partition;
    }

    public void close(Duration timeout) {
        process.closed(this);
        state = State.CLOSED;
        buffer.clear();
        process.memberClient().busy(partition, false);
    }

    @Override
    public String toString() {
        return id + " of " + process;
    }
}
