package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/**
 * An idempotent writer of our topics that never blocks its caller: sends happen on a thread of its own.
 *
 * <p>At most {@code inFlight} records are under way; one more fails at once with {@link java.util.concurrent.RejectedExecutionException}.
 * Results are signalled on a thread of the producer, which a subscriber must not block.
 */
public final class TopicWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicWriter.class);
    private static final Duration SHORTEST_DELIVERY = Duration.ofMillis(100);
    private static final Duration CLOSING = Duration.ofSeconds(3);

    /** How records are compressed, unless the client properties say otherwise. */
    public enum Compression {
        /** gzip at level 1, which clients of every language read without a plug-in. */
        FOR_EVERYBODY("gzip"),
        /**
         * None, for what is packed already: unpacking zstd costs a reader ten times what it costs to add a sample's counters, as Kafka
         * sets a decoder up for every batch, and a sample is a batch.
         */
        NONE("none");

        private final String type;

        Compression(String type) {
            this.type = type;
        }

        void into(Map<String, Object> properties) {
            properties.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, type);
            properties.put(ProducerConfig.COMPRESSION_GZIP_LEVEL_CONFIG, 1);
        }
    }

    private final KafkaSettings settings;
    private final String clientId;
    private final int inFlight;
    private final Duration deliveryTimeout;
    private final Compression compression;
    private final AtomicInteger underWay = new AtomicInteger();
    private final BlockingQueue<Write<?>> queue = new LinkedBlockingQueue<>();
    private final Set<Write<?>> unanswered = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean broken = new AtomicBoolean();
    private final Pulse pulse;
    private final Thread thread;
    private boolean started;
    private volatile boolean closing;

    /** @param deliveryTimeout after which a record that no broker took fails */
    public TopicWriter(KafkaSettings settings, String clientId, int inFlight, Duration deliveryTimeout) {
        this(settings, clientId, inFlight, deliveryTimeout, Compression.FOR_EVERYBODY);
    }

    /** @param deliveryTimeout after which a record that no broker took fails */
    public TopicWriter(
            KafkaSettings settings, String clientId, int inFlight, Duration deliveryTimeout, Compression compression) {
        if (inFlight < 1 || deliveryTimeout.compareTo(SHORTEST_DELIVERY) < 0) {
            throw new IllegalArgumentException("a writer needs at least 1 record in flight and " + SHORTEST_DELIVERY
                    + " for delivery, not " + inFlight + " and " + deliveryTimeout);
        }
        this.settings = settings;
        this.clientId = clientId;
        this.inFlight = inFlight;
        this.deliveryTimeout = deliveryTimeout;
        this.compression = compression;
        this.pulse = new Pulse("writing by " + clientId, settings.listener());
        this.thread = new Thread(this::run, "plimsoll-write-" + clientId);
        thread.setDaemon(true);
    }

    /** Writes a record; the offset when the broker has it. Cold: nothing is sent before subscription. */
    public <T> Mono<Long> write(Output<T> output) {
        return Mono.create(sink -> {
            if (underWay.incrementAndGet() > inFlight) {
                underWay.decrementAndGet();
                sink.error(new RejectedExecutionException(
                        clientId + " has " + inFlight + " records under way, its bound; try again later"));
                return;
            }
            Write<T> write = new Write<>(output, sink, System.nanoTime() + deliveryTimeout.toNanos());
            unanswered.add(write);
            sink.onCancel(() -> write.cancelled = true);
            queue.add(write);
            start();
            // Closing may have overtaken the two lines above; then nobody will come for this one.
            if (closing && !thread.isAlive()) {
                write.failed(closed());
            }
        });
    }

    private synchronized void start() {
        if (!started && !closing) {
            started = true;
            thread.start();
        }
    }

    private void run() {
        @Nullable KafkaProducer<byte[], byte[]> producer = null;
        try {
            while (!closing || !queue.isEmpty()) {
                Write<?> write = queue.poll(100, TimeUnit.MILLISECONDS);
                pulse.look(!unanswered.isEmpty());
                if (producer != null && broken.get()) {
                    producer.close(Duration.ZERO);
                    producer = null;
                    // Only now: closing fails what is under way, which looks broken too.
                    broken.set(false);
                }
                if (write == null) {
                    continue;
                }
                if (write.cancelled || System.nanoTime() - write.deadlineNanos > 0) {
                    write.failed(new TimeoutException("no broker took the record within " + deliveryTimeout));
                    continue;
                }
                try {
                    if (producer == null) {
                        producer = Clients.producer(
                                settings,
                                ClientProperties.idempotent(
                                        settings, "plimsoll-" + clientId, deliveryTimeout, compression));
                        pulse.of(producer::metrics);
                    }
                    write.send(producer);
                } catch (InterruptException e) {
                    write.failed(closed());
                    break;
                } catch (RuntimeException | Error e) {
                    // An Error too: a thread that died would leave every later record unanswered.
                    write.failed(e);
                }
            }
        } catch (InterruptedException | InterruptException e) {
            LOG.debug("{} was interrupted", clientId);
        } finally {
            if (producer != null) {
                Thread.interrupted();
                producer.close(CLOSING.dividedBy(3));
            }
            pulse.close();
            answerAll();
        }
    }

    /** Writes records of several topics in one transaction on the caller's thread, fencing an earlier writer of the same id. */
    public static void writeTogether(
            KafkaSettings settings, String transactionalId, List<Output<?>> outputs, Duration timeout) {
        // Fencing, metadata and the commit may each take a third.
        Duration callTimeout = timeout.dividedBy(3);
        try (KafkaProducer<byte[], byte[]> producer =
                Clients.producer(settings, ClientProperties.transactional(settings, transactionalId, callTimeout))) {
            try {
                producer.initTransactions();
                producer.beginTransaction();
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (Output<?> output : outputs) {
                    int partitions =
                            producer.partitionsFor(output.topic().name()).size();
                    sent.add(producer.send(Records.encode(output, partitions)));
                }
                producer.commitTransaction();
            } catch (RuntimeException e) {
                // An open transaction is aborted by the next writer of the id or by its timeout; closing must not wait.
                producer.close(Duration.ZERO);
                throw e;
            }
        }
    }

    /** Waits up to 3 s for what is under way; what is not written by then fails. */
    @Override
    public void close() {
        boolean running;
        synchronized (this) {
            closing = true;
            running = started;
        }
        if (!running) {
            answerAll();
            return;
        }
        try {
            long half = CLOSING.dividedBy(2).toMillis();
            // The thread may be waiting for metadata of a cluster that is away.
            thread.join(half - 250);
            thread.interrupt();
            thread.join(half + 250);
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
        }
        answerAll();
    }

    private void answerAll() {
        unanswered.forEach(write -> write.failed(closed()));
    }

    private KafkaException closed() {
        return new KafkaException(clientId + " was closed before the record was written");
    }

    /** One record on its way; answered once. */
    private final class Write<T> {
        private final Output<T> output;
        private final MonoSink<Long> sink;
        private final long deadlineNanos;
        private volatile boolean cancelled;

        Write(Output<T> output, MonoSink<Long> sink, long deadlineNanos) {
            this.output = output;
            this.sink = sink;
            this.deadlineNanos = deadlineNanos;
        }

        void send(KafkaProducer<byte[], byte[]> producer) {
            var unused = producer.send(Records.encode(output, partitions(producer)), (metadata, failure) -> {
                if (failure == null) {
                    pulse.answered();
                    if (answered()) {
                        sink.success(metadata.offset());
                    }
                } else {
                    failed(failure);
                }
            });
        }

        /** Asks in short turns, so that neither the deadline nor closing is overslept while the cluster is away. */
        private int partitions(KafkaProducer<byte[], byte[]> producer) {
            while (true) {
                try {
                    return producer.partitionsFor(output.topic().name()).size();
                } catch (TimeoutException e) {
                    pulse.look(true);
                    if (closing || cancelled || System.nanoTime() - deadlineNanos > 0) {
                        throw e;
                    }
                }
            }
        }

        void failed(Throwable failure) {
            // Some failures stick to a producer, as a missing right does until it is granted; a new one costs little.
            if (KafkaFailure.of(failure) == KafkaFailure.RESET || failure instanceof AuthorizationException) {
                broken.set(true);
            }
            if (failure instanceof RetriableException retriable && !cancelled) {
                pulse.failed(retriable);
            }
            if (answered()) {
                sink.error(failure);
            }
        }

        private boolean answered() {
            if (unanswered.remove(this)) {
                underWay.decrementAndGet();
                return true;
            }
            return false;
        }
    }
}
